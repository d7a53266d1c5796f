// Removing the least important channels until a network is as small as wanted.
#pragma once

#include "selection.hpp"

#include <topress/model.hpp>

#include <vector>

namespace topress::pruning {

/// What a target is counted in.
enum class Measure {
    Macs,     ///< of the main path
    Channels  ///< of all groups together
};

[[nodiscard]] double size_of(const Model& model, Measure measure);

/// Removes channels from `model`, the least important first, until its size is at most `target`;
/// where the guards stop before that (`reached` is false) it stays as it is.
/// The MACs of a selection are computed from the sizes of weights alone, and checked once against
/// those of the smaller network; where they differ (a layer that a plugin added), every selection
/// is tried on a copy.
Selection remove_least_important(Model& model,
                                 const std::vector<GroupImportance>& groups,
                                 const Guards& guards,
                                 double target,
                                 Measure measure);

}  // namespace topress::pruning
