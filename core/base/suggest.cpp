// Damerau-Levenshtein distance (optimal string alignment) and the nearest name by it.
#include "base/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace topress {

namespace {

using Row = std::vector<std::size_t>;

// Rows of the distance table: two back (for swaps of neighbours), previous, current.
std::size_t distance(std::string_view a, std::string_view b) {
    Row two_back(b.size() + 1);
    Row previous(b.size() + 1);
    Row current(b.size() + 1);
    std::iota(previous.begin(), previous.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitution});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) {
                current[j] = std::min(current[j], two_back[j - 2] + 1);
            }
        }
        std::swap(two_back, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

}  // namespace

double similarity(std::string_view a, std::string_view b) {
    const std::size_t longer = std::max(a.size(), b.size());
    if (longer == 0) {
        return 1.0;
    }
    return 1.0 - static_cast<double>(distance(a, b)) / static_cast<double>(longer);
}

std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates,
                                   double least) {
    std::optional<std::string> best;
    double best_similarity = 0;
    for (const std::string& candidate : candidates) {
        const double value = similarity(name, candidate);
        if (value >= least && (!best || value > best_similarity)) {
            best = candidate;
            best_similarity = value;
        }
    }
    return best;
}

}  // namespace topress
