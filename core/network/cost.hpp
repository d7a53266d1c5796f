// What a network costs: MACs, bit operations, parameters, stored bytes. Computed, not measured.
#pragma once

#include "network/graph.hpp"

#include <cstdint>
#include <string>
#include <vector>

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

/// Totals. `macs` and `bitops`: one sample that goes through to the end, every exit head on the way
/// included. `expected_*`: every node weighted by the share of samples that run it, that is
/// sum_k p_k * (backbone up to exit k + every head up to k). An exit whose share was not measured
/// (NaN) counts as one where nobody leaves. Without exits both are equal. Nodes that no output
/// needs are listed with reach 0 and cost nothing.
struct Cost {
    double macs = 0;
    double bitops = 0;
    double expected_macs = 0;
    double expected_bitops = 0;
    double parameters = 0;
    double stored_bytes = 0;
    std::vector<NodeCost> nodes;
};

/// MACs(conv) = Hout*Wout*Cout*(Cin/groups)*kh*kw, linear in*out; bitops = MACs * bits_w * bits_a
/// with bits_a of the input activation; parameters = all but buffers and quantizer scales; stored
/// bytes = weights at their bits (rounded up per tensor) + scales, biases, batch norm (4 values a
/// channel), heads at 4 bytes a value.
[[nodiscard]] Cost cost_of(const Network& network);

/// Precision of a value: of the quantize node that produces it, also through max_pool and flatten.
[[nodiscard]] Precision precision_of(const Network& network, const std::string& value);

}  // namespace topress::network
