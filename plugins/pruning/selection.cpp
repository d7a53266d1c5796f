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

// Of a target: a selection between this share and the target itself is taken as it is.
constexpr double kNear = 0.9;

/// All thresholds that make a difference, and the first of them that reaches a target.
class Ranking {
  public:
    Ranking(const std::vector<GroupImportance>& groups,
            const Guards& guards,
            double target,
            const std::function<double(const Kept&)>& size_of)
        : groups_(groups), guards_(guards), target_(target), size_of_(size_of) {
        thresholds_.push_back(-1.0);  // below every importance: removes nothing
        for (const auto& group : groups) {
            thresholds_.insert(thresholds_.end(), group.importance.begin(), group.importance.end());
        }
        std::sort(thresholds_.begin(), thresholds_.end());
        thresholds_.erase(std::unique(thresholds_.begin(), thresholds_.end()), thresholds_.end());
    }

    [[nodiscard]] Selection select() const {
        Kept held(groups_.size());
        std::size_t first = 0;
        Selection best = select_from(first, held);
        // Rounding can make one large group lose many channels at once, and the target is far
        // exceeded. Such a group then stays as it was, and the others go on.
        while (best.reached && first > 0 && best.size < kNear * target_) {
            const Selection before = attempt(first - 1, held);
            for (std::size_t g = 0; g < groups_.size(); ++g) {
                if (before.kept[g] != best.kept[g]) {
                    held[g] = before.kept[g];
                }
            }
            Selection other = select_from(first, held);
            if (!other.reached || other.size <= best.size) {
                break;
            }
            best = std::move(other);
        }
        return best;
    }

  private:
    /// Groups that are held keep these channels whatever the threshold; empty: not held.
    [[nodiscard]] Selection attempt(std::size_t index, const Kept& held) const {
        Selection selection;
        selection.kept = select_above(groups_, thresholds_[index], guards_);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            if (!held[g].empty()) {
                selection.kept[g] = held[g];
            }
        }
        selection.size = size_of_(selection.kept);
        selection.reached = selection.size <= target_;
        return selection;
    }

    /// Kept counts fall with the threshold, so MACs do: the first threshold from `first` on that
    /// reaches the target removes least. Moves `first` to it; the last one where none does.
    [[nodiscard]] Selection select_from(std::size_t& first, const Kept& held) const {
        std::size_t high = thresholds_.size() - 1;
        Selection best = attempt(high, held);
        if (!best.reached) {
            first = high;
            return best;
        }
        while (first < high) {
            const std::size_t middle = first + (high - first) / 2;
            Selection candidate = attempt(middle, held);
            if (candidate.reached) {
                best = std::move(candidate);
                high = middle;
            } else {
                first = middle + 1;
            }
        }
        return best;
    }

    const std::vector<GroupImportance>& groups_;
    const Guards& guards_;
    double target_;
    const std::function<double(const Kept&)>& size_of_;
    std::vector<double> thresholds_;
};

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
    return Ranking(groups, guards, target, size_of).select();
}

}  // namespace topress::pruning
