// Heads: small classifiers on a value of the body; where they go and what they are made of.
#pragma once

#include <topress/model.hpp>
#include <topress/places.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace topress::early_exit {

/// What a head computes before its linear layer.
enum class HeadKind {
    Linear,   ///< global average pool
    Conv,     ///< 3x3 convolution with stride 2, relu, global average pool
    Features  ///< bag of features: 1x1 convolution to codewords, relu, mean over all positions
};

/// One head and where it reads.
struct Head {
    std::string name;
    Place place;
};

/// How heads are built.
struct HeadOptions {
    HeadKind kind = HeadKind::Linear;
    std::int64_t codewords = 64;  ///< of a bag of features
    std::string criterion;
    std::int64_t outputs = 0;  ///< classes
};

/// "linear", "conv" or "features".
[[nodiscard]] HeadKind parse_head_kind(const std::string& name);

/// Heads at the nearest possible places to these shares of the MACs.
/// Throws: PluginError{UNSUPPORTED} when the network has no place at all.
[[nodiscard]] std::vector<Head> heads_at_positions(const Model& model,
                                                   const std::vector<double>& positions);

/// Heads at values that are named, or whose nodes are. Throws: PluginError{INVALID_ARGUMENT} for a
/// name where no head can be.
[[nodiscard]] std::vector<Head> heads_at_names(const Model& model,
                                               const std::vector<std::string>& names);

/// Heads at so many places, evenly spread over the MACs.
[[nodiscard]] std::vector<Head> heads_at_candidates(const Model& model, int count);

/// Adds the nodes of a head with fresh parameters drawn from `seed`, and its exit, which lets
/// nobody leave. Source: bag of features: Passalis et al. 2020 (arXiv 1904.11577), the similarity
/// to a codeword a rectified scalar product.
void attach_head(Model& model,
                 const Head& head,
                 const HeadOptions& options,
                 at::Device device,
                 std::uint64_t seed);

/// Names of the parameters that attach_head added for this exit.
[[nodiscard]] std::vector<std::string> head_parameters(const Model& model, const std::string& exit);

}  // namespace topress::early_exit
