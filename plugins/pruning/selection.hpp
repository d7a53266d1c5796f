// Which channels to keep: global ranking of group importances under rounding and guards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace topress::pruning {

/// One channel group with a non-negative importance per channel.
struct GroupImportance {
    std::string name;
    std::vector<double> importance;
    std::int64_t initial_channels = 0;  ///< before the first step, for the guards
};

/// What no selection goes below.
struct Guards {
    std::int64_t round_to = 8;
    std::int64_t minimum_channels = 8;
    double minimum_ratio = 0.1;  ///< of initial_channels
};

/// How importances of different groups are made comparable.
enum class Normalisation : std::uint8_t {
    Maximum,  ///< divided by the group's largest
    Mean,     ///< divided by the group's mean
    Rank,  ///< the share of the group's channels that are less important: every group loses alike
    None,
};

/// Ascending channel indices to keep, one list per group in the same order.
using Kept = std::vector<std::vector<std::int64_t>>;

/// Makes importances comparable in place; a group of zeros stays, except that Rank tells its
/// channels apart by their index.
void normalise(std::vector<GroupImportance>& groups, Normalisation how);

/// Fewest channels a group may keep: the guards, rounded up to `round_to`, never more than it has.
[[nodiscard]] std::int64_t fewest_channels(std::int64_t channels,
                                           std::int64_t initial,
                                           const Guards& guards);

/// Keeps, in every group, the channels more important than `threshold`: their number is rounded to
/// the nearest multiple of round_to and kept at or above fewest_channels; ties keep the lower
/// index.
[[nodiscard]] Kept select_above(const std::vector<GroupImportance>& groups,
                                double threshold,
                                const Guards& guards);

/// The selection that removes least while `size_of(selection) <= target`: bisection over the global
/// ranking. Where rounding takes so much of one group at once that less than 0.9 of the target is
/// left, that group stays as it was and the others go on, if that comes closer. `reached` tells
/// whether even the strongest selection stays above the target.
struct Selection {
    Kept kept;
    double size = 0;
    bool reached = false;
};

[[nodiscard]] Selection select_to_target(const std::vector<GroupImportance>& groups,
                                         const Guards& guards,
                                         double target,
                                         const std::function<double(const Kept&)>& size_of);

}  // namespace topress::pruning
