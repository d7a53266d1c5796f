// Pairwise results -> one order: the one that contradicts the measurements least.
#pragma once

#include <cstddef>
#include <vector>

namespace topress::explore {

/// `before` did better in front of `after`, by `difference` (>= 0, accuracy as a fraction).
struct Match {
    std::size_t before = 0;
    std::size_t after = 0;
    double difference = 0;
    bool decided = false;  ///< the confidence interval excludes zero
};

struct Ranking {
    std::vector<std::size_t> order;
    std::vector<Match> violated;     ///< what the order goes against
    std::vector<std::size_t> cycle;  ///< of decided matches, the shortest; empty if there is none
};

/// Above this number of techniques the order is found step by step and need not be the best.
inline constexpr std::size_t kExactUpTo = 8;

/// The order with the smallest sum of differences it goes against, decided matches before all
/// others: a topological order of the decided ones where they have no cycle, else the minimum
/// weight feedback arc set. Undecided matches settle what is left, then the smaller index.
/// Exact for up to kExactUpTo techniques, above that greedy (most wins first).
/// Cost: 2^N * N^2.
[[nodiscard]] Ranking rank(std::size_t techniques, const std::vector<Match>& matches);

}  // namespace topress::explore
