// Global ranking as a threshold over normalised importances; a bisection finds the threshold of a
// MACs target.
#include "selection.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

namespace topress::pruning {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

/// Channel indices from most to least important; ties keep the lower index first.
std::vector<std::int64_t> ranking(const std::vector<double>& importance) {
    std::vector<std::int64_t> order(importance.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return importance[static_cast<std::size_t>(a)] > importance[static_cast<std::size_t>(b)];
    });
    return order;
}

std::int64_t kept_count(const GroupImportance& group, double threshold, const Guards& guards) {
    const auto channels = static_cast<std::int64_t>(group.importance.size());
    const auto above = static_cast<std::int64_t>(std::count_if(
        group.importance.begin(), group.importance.end(), [&](double v) { return v > threshold; }));
    if (above == channels) {
        return channels;
    }
    const std::int64_t nearest = (above + guards.round_to / 2) / guards.round_to * guards.round_to;
    return std::clamp(nearest, fewest_channels(channels, group.initial_channels, guards), channels);
}

}  // namespace

void normalise(std::vector<GroupImportance>& groups, Normalisation how) {
    for (auto& group : groups) {
        if (group.importance.empty() || how == Normalisation::None) {
            continue;
        }
        if (how == Normalisation::Rank) {
            const auto order = ranking(group.importance);
            const auto channels = static_cast<double>(order.size());
            for (std::size_t place = 0; place < order.size(); ++place) {
                group.importance[static_cast<std::size_t>(order[place])] =
                    (channels - static_cast<double>(place)) / channels;
            }
            continue;
        }
        const double sum = std::accumulate(group.importance.begin(), group.importance.end(), 0.0);
        const double divisor =
            how == Normalisation::Mean
                ? sum / static_cast<double>(group.importance.size())
                : *std::max_element(group.importance.begin(), group.importance.end());
        if (divisor > 0) {
            for (auto& value : group.importance) {
                value /= divisor;
            }
        }
    }
}

std::int64_t fewest_channels(std::int64_t channels, std::int64_t initial, const Guards& guards) {
    const auto by_ratio =
        static_cast<std::int64_t>(guards.minimum_ratio * static_cast<double>(initial) + 0.999999);
    const std::int64_t least = std::max({guards.minimum_channels, by_ratio, std::int64_t{1}});
    return std::min(channels, round_up(least, guards.round_to));
}

Kept select_above(const std::vector<GroupImportance>& groups,
                  double threshold,
                  const Guards& guards) {
    Kept result;
    for (const auto& group : groups) {
        auto order = ranking(group.importance);
        order.resize(static_cast<std::size_t>(kept_count(group, threshold, guards)));
        std::sort(order.begin(), order.end());
        result.push_back(std::move(order));
    }
    return result;
}

Selection select_to_target(const std::vector<GroupImportance>& groups,
                           const Guards& guards,
                           double target,
                           const std::function<double(const Kept&)>& size_of) {
    std::vector<double> thresholds{-1.0};  // below every importance: removes nothing
    for (const auto& group : groups) {
        thresholds.insert(thresholds.end(), group.importance.begin(), group.importance.end());
    }
    std::sort(thresholds.begin(), thresholds.end());
    thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());

    const auto attempt = [&](std::size_t index) {
        Selection selection;
        selection.kept = select_above(groups, thresholds[index], guards);
        selection.size = size_of(selection.kept);
        selection.reached = selection.size <= target;
        return selection;
    };
    // Kept counts fall with the threshold, so MACs do: the first threshold that reaches the target
    // removes least.
    std::size_t low = 0;
    std::size_t high = thresholds.size() - 1;
    Selection best = attempt(high);
    if (!best.reached) {
        return best;
    }
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        Selection candidate = attempt(middle);
        if (candidate.reached) {
            best = std::move(candidate);
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return best;
}

}  // namespace topress::pruning
