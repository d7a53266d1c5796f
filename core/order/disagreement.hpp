// Who disagrees with whom: rules that measurements contradict, and rule sets that contradict each
// other.
#pragma once

#include "base/diagnostic.hpp"
#include "order/build.hpp"

#include <vector>

namespace topress::order {

/// Every relation of a rule set that evidence in scope turns around, whichever of the two is used.
[[nodiscard]] std::vector<Contradiction> find_contradictions(
    const std::vector<Candidate>& candidates, const std::vector<MeasuredPair>& pairs);

/// One order/rule-contradicted (warning) each.
[[nodiscard]] Diagnostics report_contradictions(const std::vector<Contradiction>& contradictions);

/// Whether evidence in scope speaks directly against a candidate of a rule set.
[[nodiscard]] bool is_contradicted(const std::vector<Candidate>& candidates, const Candidate& rule);

/// The set that decides where a relation of one rule set was set aside by other rule sets alone;
/// empty if anything else opposes it.
[[nodiscard]] std::string deciding_set(const Edge& skipped, const std::vector<Step>& opposing);

}  // namespace topress::order
