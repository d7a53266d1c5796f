// One of several choices for each of many items: the least loss within a budget, solved exactly.
#pragma once

#include <cstddef>
#include <vector>

namespace topress::quantization {

/// What one choice costs and loses; both at least 0.
struct Choice {
    double cost = 0;
    double loss = 0;
};

/// The index of the choice for every item with the least summed loss whose summed cost stays within
/// `budget`; among equal losses the cheapest. Empty when even the cheapest choices cost more, or an
/// item has none. Exact: partial sums are dropped only where another is no dearer and loses no
/// more, or where they cannot end below a solution that is known.
[[nodiscard]] std::vector<std::size_t> allocate(const std::vector<std::vector<Choice>>& items,
                                                double budget);

}  // namespace topress::quantization
