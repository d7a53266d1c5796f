// What a network costs: MACs, bit operations, parameters, stored bytes. Computed, not measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "network/graph.hpp"

namespace topress::network {

/// Precision of a value as found in the graph: quantize nodes set it, everything else is float32.
struct Precision {
    int bits = 32;
    bool is_signed = true;
};

/// One operator's share.
struct NodeCost {
    std::string node;
    std::string op;
    double macs = 0;
    int weight_bits = 32;
    int activation_bits = 32;
    double bitops = 0;
    double parameters = 0;  ///< count, buffers not included
    double stored_bytes = 0;
    double reach = 1;  ///< share of samples that get here (exits)
};

/// Totals. `macs` and `bitops` are of the full network without exit heads taken into account by
/// share; `expected_*` weight every node by the share of samples that reach it: backbone up to exit k plus
/// every head evaluated up to k. Without exits both are equal.
struct Cost {
    double macs = 0;
    double bitops = 0;
    double expected_macs = 0;
    double expected_bitops = 0;
    double parameters = 0;
    double stored_bytes = 0;
    std::vector<NodeCost> nodes;
};

/// MACs(conv) = Hout*Wout*Cout*(Cin/groups)*kh*kw, linear in*out; bitops = MACs * bits_w * bits_a with bits_a of
/// the input activation; parameters = all but buffers and quantizer scales; stored bytes = weights at their
/// bits (rounded up per tensor) + scales, biases, batch norm (4 values a channel), heads at 4 bytes a value.
[[nodiscard]] Cost cost_of(const Network& network);

/// Precision of a value.
[[nodiscard]] Precision precision_of(const Network& network, const std::string& value);

}  // namespace topress::network
