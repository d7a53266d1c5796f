// What would the order be without one of the techniques?
#pragma once

#include "order/order.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace topress::order {

/// Two labels, the first one earlier.
using LabelPair = std::pair<std::string, std::string>;

/// The order derived anew without one technique, compared with that of all of them.
struct Removal {
    std::string label;                  ///< the technique that is left out
    std::string refusal;                ///< why there is no order without it; empty: there is one
    std::vector<std::string> sequence;  ///< the labels that remain, in their new order
    std::vector<LabelPair> turned;      ///< in this order with it, in the other one without it
    std::vector<LabelPair> freed;       ///< related with it, only tie-broken without it

    [[nodiscard]] bool changes_order() const { return !turned.empty(); }
};

inline constexpr std::size_t kMostRemovals = 24;  ///< selected techniques up to which it is derived

/// One entry per technique, in the order of `order`; none for more than kMostRemovals techniques.
/// Requires: `order` was derived from `request`.
/// Cost:     one derivation per technique, without counting orders.
[[nodiscard]] std::optional<std::vector<Removal>> find_removals(const Request& request,
                                                                const Order& order);

/// "channel, qat, confidence (unchanged)", of many "the other 9 as they are (unchanged)", "refused:
/// ...", "b, a (turned round: a and b)".
[[nodiscard]] std::string describe(const Removal& removal, const std::string& arrow = ", ");

}  // namespace topress::order
