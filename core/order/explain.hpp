// An order in words and as a drawing; plain text, nothing is printed.
#pragma once

#include "order/order.hpp"

#include <optional>
#include <string>
#include <vector>

namespace topress::order {

/// Lines for a terminal, not wrapped: every position with its traits, then the edges that put it
/// there (those on the same grounds together), then what was skipped, broken or left open.
[[nodiscard]] std::vector<std::string> explain(const Order& order);

/// One line: "a before b   hard, declared by ... : reason".
[[nodiscard]] std::string describe(const Edge& edge);

/// "measured, accuracy at equal BitOps is 1.20 pp higher this way round (95 % interval ...)".
[[nodiscard]] std::string describe(const MeasuredPair& pair);

/// Why `before` precedes `after`: the shortest path of used edges; empty if only the tie-break
/// decides; none if `after` does not follow `before` in the sequence or a label is unknown.
[[nodiscard]] std::optional<std::vector<Edge>> why(const Order& order,
                                                   const std::string& before,
                                                   const std::string& after);

/// The order as a Graphviz digraph with a legend: used edges solid (hard) or dashed (soft), skipped
/// ones dotted, broken ones red; pale where they follow from others. Each edge has its strength and
/// origin as a label and its reasons as a tooltip.
[[nodiscard]] std::string to_dot(const Order& order);

}  // namespace topress::order
