// What follows from the rules of one set, and whether they contradict each other.
#pragma once

#include "base/diagnostic.hpp"
#include "order/rules.hpp"

#include <optional>
#include <vector>

namespace topress::order {

/// Adds what follows: rules over one dimension are transitive, so that "a before b" and "b before
/// c" place a and c also where no technique has the trait b. Returns the first contradiction
/// (config/contradictory-rules).
[[nodiscard]] std::optional<Diagnostic> close_transitively(std::vector<Rule>& rules);

}  // namespace topress::order
