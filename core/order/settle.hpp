// Which candidate edges hold: hard ones, then soft ones as long as they close no cycle.
#pragma once

#include "base/diagnostic.hpp"
#include "order/build.hpp"

#include <vector>

namespace topress::order {

/// Marks every soft edge that contradicts stronger ones as not used, with the path that opposes
/// it, and appends order/soft-edge-skipped or order/rules-disagree for each; one that evidence
/// contradicts is reported elsewhere (disagreement.hpp).
/// Requires: candidates strongest first.
void settle(const Nodes& nodes, std::vector<Candidate>& candidates, Diagnostics& findings);

/// The arcs of the edges that are used.
[[nodiscard]] std::vector<Arc> used_arcs(const std::vector<Candidate>& candidates);

}  // namespace topress::order
