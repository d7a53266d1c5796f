// Pairs that nothing orders although they touch the same resource, so that their order may matter.
#pragma once

#include "base/diagnostic.hpp"
#include "order/build.hpp"

#include <vector>

namespace topress::order {

/// All unordered pairs with a resource that at least one of them writes, sorted by names.
[[nodiscard]] std::vector<Ambiguity> find_ambiguities(const Nodes& nodes,
                                                      const std::vector<Arc>& used);

/// One order/ambiguous per pair, naming every resource: a warning, or an error if `strict`. From
/// the 101st pair on they are only counted.
[[nodiscard]] Diagnostics report_ambiguities(const Nodes& nodes,
                                             const std::vector<Ambiguity>& ambiguities,
                                             bool strict);

}  // namespace topress::order
