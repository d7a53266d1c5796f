// evidence.toml: what an exploration found out, for later plans.
#pragma once

#include "explore/compare.hpp"

#include <string>

namespace topress::explore {

/// Pairs with at least two seeds, and the intensity of each technique, in the format that
/// order::load_evidence() reads (docs/evidence.md). Pairs of one technique under two labels are
/// left out: evidence speaks of techniques. Empty if no pair was measured.
[[nodiscard]] std::string evidence_toml(const Experiment& experiment,
                                        const Results& results,
                                        const Findings& findings);

}  // namespace topress::explore
