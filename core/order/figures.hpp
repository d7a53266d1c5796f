// Relations that follow from figures: measured differences between orders, and intensities.
#pragma once

#include "base/diagnostic.hpp"
#include "order/build.hpp"

#include <vector>

namespace topress::order {

/// What the evidence says, in relations and to be shown.
struct Measured {
    std::vector<Rule> rules;  ///< of decided pairs, by id; origin Evidence or
                              ///< EvidenceElsewhere, the clearest with the lowest precedence
    std::vector<MeasuredPair> pairs;  ///< between selected techniques, decided or not, by ids
};

/// Pools all measurements of one pair, those that cover the run apart from those that do not. A
/// pair is decided when the pooled interval excludes zero.
[[nodiscard]] Measured weigh_evidence(const Request& request, const Nodes& nodes);

/// One order/evidence-undecided (information) per pair in scope whose interval covers zero.
[[nodiscard]] Diagnostics report_undecided(const std::vector<MeasuredPair>& pairs);

/// The relations of all `ascending` rules between selected instances; equal intensities say
/// nothing. Reports order/no-intensity (information) for instances that have none.
[[nodiscard]] std::vector<DeclaredEdge> order_by_intensity(const Request& request,
                                                           const Nodes& nodes,
                                                           Diagnostics& findings);

}  // namespace topress::order
