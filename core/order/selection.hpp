// Checks of what was selected, before any ordering: presence, not order.
#pragma once

#include "base/diagnostic.hpp"
#include "order/order.hpp"

namespace topress::order {

/// Unknown techniques, labels given twice, missing requirements, conflicts; all of them at once,
/// sorted by label.
[[nodiscard]] Diagnostics check_selection(const Request& request);

/// The known technique with this id, or null.
[[nodiscard]] const TechniqueInfo* find_technique(const Request& request, const std::string& id);

}  // namespace topress::order
