// Operators that are not built in: registered by plugins, alive within a stage, lowered at its end.
#pragma once

#include "network/operators.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::network {

/// How channel indices pass through a custom operator (sdk/include/topress/abi.h says the details).
enum class ChannelRule : std::uint8_t {
    Blocked,      ///< whatever touches it keeps its channels
    Elementwise,  ///< channel i of the output is made from channel i of every input
    None,         ///< the output has no channel of its inputs
};

/// What one sample costs in a custom operator. Bits of 0: see each.
struct CustomCost {
    double macs = 0;
    int weight_bits = 0;      ///< 0 = 32
    int activation_bits = 0;  ///< 0 = the precision of the first input
    int output_bits = 0;      ///< precision of the output; 0 = 32
};

/// What a custom operator has beyond a built-in one.
struct CustomRules {
    ChannelRule channels = ChannelRule::Blocked;
    /// Empty = costs nothing.
    std::function<CustomCost(
        const Node&, const std::vector<Shape>& inputs, const std::vector<Shape>& outputs)>
        cost;
    /// Rewrites one node into built-in operators; throws what it likes.
    std::function<void(Network&, const std::string& node)> lower;
    /// Equal for two registrations of the same operator.
    std::uintptr_t identity = 0;
};

/// From now on nodes may have this operator; for good, since plans point to it. The same operator
/// may come again. Thread: before any run.
/// Throws Error{network/bad-operator} for a name that is no reverse-DNS one
/// ("org.example.cluster"), a missing function, or a name that another operator has.
void register_operator(Operator op, CustomRules rules);

/// Null when unknown. Thread: safe.
[[nodiscard]] const Operator* find_custom_operator(std::string_view name);

/// Names of the nodes with custom operators, in execution order.
[[nodiscard]] std::vector<std::string> custom_nodes(const Network& network);

/// The network with every custom node rewritten by its own rule, one after the other. Each time the
/// value its readers got before is compared with what they get now, in evaluation mode on a seeded
/// batch. Throws Error{check/lowering-differs} with figures, {check/not-lowered} when a node stays,
/// its rule fails or the result does not hold together.
[[nodiscard]] Network lower_custom_operators(Network network);

}  // namespace topress::network
