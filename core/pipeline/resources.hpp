// Content hashes of a network by resource, to see what a stage really changed.
#pragma once

#include "network/graph.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace topress::pipeline {

/// Hashes of the parts of a network that techniques declare to read and write. The main path is
/// what the main output needs; whatever only exits need belongs to the exits.
struct ResourceHashes {
    std::string topology;        ///< operators of the main path, looked at without quantize nodes
    std::string channels;        ///< shapes of the main path's parameters
    std::string weights;         ///< weight, bias and norm tensors of the main path
    std::string statistics;      ///< its running statistics
    std::string precision;       ///< its quantize nodes and where they sit
    std::string scales;          ///< scale tensors
    std::string exits;           ///< exits with their thresholds, and the operators of their heads
    std::string head_weights;    ///< tensors that only heads use
    std::string head_precision;  ///< quantize nodes that only heads use
};

/// Cost: reads every tensor once.
[[nodiscard]] ResourceHashes hash_resources(const network::Network& network);

/// What differs, by resource name: topology, channels, weights, batch-stats, precision, exits.
/// Training moves scales and head weights too: such a change counts as one of weights, unless the
/// precision or the exits themselves changed as well. Quantize nodes in new heads belong to the
/// exits.
[[nodiscard]] std::vector<std::string> changed_resources(const ResourceHashes& before,
                                                         const ResourceHashes& after);

/// Everything a technique may change that declares these resources: new operators imply new
/// channels, weights and statistics; removed channels imply changed weights and statistics.
[[nodiscard]] std::set<std::string> implied_writes(const std::vector<std::string>& declared);

/// The values (parameters included) that the main output needs.
[[nodiscard]] std::set<std::string> main_path(const network::Network& network);

/// A value as it is without quantization: the input of the quantize nodes it comes through.
[[nodiscard]] std::string_view unquantized(const network::Network& network, std::string_view value);

}  // namespace topress::pipeline
