// Group importances of a model: one segmented reduction over all members of all groups.
#pragma once

#include "selection.hpp"

#include <topress/model.hpp>

#include <vector>

namespace topress::pruning {

/// L2 norm per channel over every trained member of the group (weights in both directions,
/// batch-norm gamma; not biases, betas, buffers, scales). initial_channels is set to the present
/// count.
[[nodiscard]] std::vector<GroupImportance> measure_importance(const Model& model);

}  // namespace topress::pruning
