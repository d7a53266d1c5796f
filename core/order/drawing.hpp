// An order drawn with characters: the chain of labels, and below it what leaps over neighbours.
#pragma once

#include "order/order.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace topress::order {

/// How a drawing may look.
struct DrawingStyle {
    bool unicode = true;     ///< box drawing characters; else ASCII
    std::size_t width = 80;  ///< characters per line
};

/// The order as lines of text, the legend last. Neighbours are joined by their relation; further
/// relations are arcs below, unless they follow from those that are drawn. A chain that is too long
/// is broken, and its arcs become lines of words. Empty without techniques.
[[nodiscard]] std::vector<std::string> draw(const Order& order, const DrawingStyle& style = {});

/// Characters of UTF-8 text, each counted as one column.
[[nodiscard]] std::size_t columns_of(const std::string& text);

}  // namespace topress::order
