// An order the user insists on: is it complete, and which edges does it break.
#pragma once

#include "base/diagnostic.hpp"
#include "order/build.hpp"

#include <string>
#include <vector>

namespace topress::order {

/// order/forced-incomplete for every label that is missing, unknown or named twice.
[[nodiscard]] Diagnostics check_forced(const std::vector<Instance>& selected,
                                       const std::vector<std::string>& forced);

/// The used edges that the sequence turns around, strongest first.
[[nodiscard]] std::vector<Edge> broken_edges(const std::vector<Candidate>& candidates,
                                             const std::vector<std::string>& sequence);

/// One order/forced-illegal error, or with `overridden` one order/overridden warning per edge.
[[nodiscard]] Diagnostics report_broken(const std::vector<Edge>& broken, bool overridden);

}  // namespace topress::order
