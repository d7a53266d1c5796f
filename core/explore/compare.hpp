// Results of all runs -> which order is better, by how much, and how surely.
#pragma once

#include "explore/execute.hpp"
#include "explore/statistics.hpp"
#include "explore/tournament.hpp"

#include <optional>
#include <string>
#include <vector>

namespace topress::explore {

/// Two orders against each other: score of `first` - score of `second`, seed by seed.
/// Units: accuracy as a fraction, at equal BitOps.
struct Comparison {
    Sequence first;
    Sequence second;
    std::vector<double> differences;  ///< per seed that has both
    Estimate estimate;                ///< meaningful if `differences` has something
    std::string cannot_execute;       ///< why one of them did not run; empty
};

/// Both orders of two techniques; turned so that the mean difference is not negative.
using PairResult = Comparison;

/// A complete order among all complete orders.
struct OrderResult {
    Sequence order;
    std::vector<double> scores;  ///< per seed
    Estimate score;
    Estimate to_best;      ///< paired difference to the best one; zero for it
    double bitops_cr = 0;  ///< geometric mean over rounds
    double accuracy = 0;   ///< mean over rounds, of the final networks
    std::string cannot_execute;
};

/// The mean over all complete orders with `before` earlier, less that over the others.
struct Precedence {
    std::string before;
    std::string after;
    Estimate difference;
};

/// Does `between` turn the pair round?
struct Insertion {
    std::string before;
    std::string after;
    std::string between;
    Comparison compared;  ///< before, between, after  against  after, between, before
    Estimate pair;        ///< what the pair itself says
    /// "holds", "broken", "undecided" or "cannot-execute".
    std::string verdict;
};

struct Findings {
    std::vector<PairResult> pairs;
    std::optional<Ranking> ranking;   ///< indices into the labels; needs all pairs
    std::vector<OrderResult> orders;  ///< best first, those that do not execute last
    std::vector<Precedence> precedences;
    std::vector<Insertion> insertions;
};

/// What can be said of the results so far; pairs and orders that are not finished are left out.
[[nodiscard]] Findings compare(const Experiment& experiment, const Results& results);

/// The order that the pairs suggest, as labels; none if a pair is missing.
[[nodiscard]] std::optional<Sequence> winner(const Experiment& experiment,
                                             const Findings& findings);

/// How many times fewer BitOps a technique leaves when it is the first one: geometric mean over
/// rounds; none if it never was.
[[nodiscard]] std::optional<double> intensity(const Experiment& experiment,
                                              const Results& results,
                                              const std::string& label);

}  // namespace topress::explore
