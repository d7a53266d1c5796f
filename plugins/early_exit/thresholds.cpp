// Exhaustive search over threshold grids by running the exits one after another over the samples
// left.
#include "thresholds.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace topress::early_exit {
namespace {

constexpr double kSampleVisits = 2e8;
constexpr std::size_t kMostCandidates = 64;
constexpr std::size_t kFewestCandidates = 3;
// Confidences closer than this count as equal.
constexpr float kLeastGap = 1e-5F;

std::size_t candidates_per_exit(std::size_t exits, std::size_t samples) {
    const double combinations =
        kSampleVisits / static_cast<double>(std::max<std::size_t>(samples, 1));
    const double each =
        std::pow(combinations, 1.0 / static_cast<double>(std::max<std::size_t>(exits, 1)));
    return std::clamp(static_cast<std::size_t>(each), kFewestCandidates, kMostCandidates);
}

/// A threshold that lets `confidence[at]` leave (sorted descending): the middle of the next gap, so
/// that implementations of softmax that differ in the last bit agree about who leaves.
double threshold_below(const std::vector<float>& confidence, std::size_t at) {
    while (at + 1 < confidence.size() && confidence[at] - confidence[at + 1] < kLeastGap) {
        ++at;
    }
    const float next = at + 1 < confidence.size() ? confidence[at + 1] : 0.0F;
    return (static_cast<double>(confidence[at]) + static_cast<double>(next)) / 2;
}

/// kNever, then thresholds at quantiles of the confidences in descending order.
std::vector<double> make_candidates(std::vector<float> confidence, std::size_t count) {
    std::vector<double> result{kNever};
    std::sort(confidence.begin(), confidence.end(), std::greater<>());
    const std::size_t samples = confidence.size();
    const std::size_t last = std::min(count, samples);
    for (std::size_t q = 0; q < last; ++q) {
        const double threshold = threshold_below(confidence, q * samples / last);
        if (threshold < result.back()) {
            result.push_back(threshold);
        }
    }
    return result;
}

class Search {
  public:
    Search(const ExitObservations& seen, double least_right)
        : seen_(seen), exits_(seen.confidence.size()), least_right_(least_right) {
        const std::size_t samples = seen.right.front().size();
        const std::size_t count = candidates_per_exit(exits_, samples);
        for (const auto& confidence : seen.confidence) {
            candidates_.push_back(make_candidates(confidence, count));
        }
        std::vector<std::uint32_t> all(samples);
        for (std::size_t i = 0; i < samples; ++i) {
            all[i] = static_cast<std::uint32_t>(i);
        }
        current_.assign(exits_, kNever);
        left_.assign(exits_ + 1, 0);
        descend(0, all, 0.0, 0.0);
    }

    [[nodiscard]] const ThresholdChoice& best() const { return best_; }

  private:
    /// Tries every threshold of exit `k` on the samples that reach it.
    void descend(std::size_t k,
                 const std::vector<std::uint32_t>& reaching,
                 double right_so_far,
                 double cost_so_far) {
        if (cost_so_far >= best_cost_) {
            return;  // costs only grow
        }
        if (k == exits_) {
            finish(reaching, right_so_far, cost_so_far);
            return;
        }
        for (const double threshold : candidates_[k]) {
            std::vector<std::uint32_t> staying;
            staying.reserve(reaching.size());
            double right = right_so_far;
            for (const auto i : reaching) {
                if (static_cast<double>(seen_.confidence[k][i]) >= threshold) {
                    right += seen_.right[k][i];
                } else {
                    staying.push_back(i);
                }
            }
            const std::size_t leaving = reaching.size() - staying.size();
            current_[k] = threshold;
            left_[k] = leaving;
            descend(
                k + 1, staying, right, cost_so_far + static_cast<double>(leaving) * seen_.cost[k]);
        }
    }

    void finish(const std::vector<std::uint32_t>& reaching, double right, double cost) {
        for (const auto i : reaching) {
            right += seen_.right[exits_][i];
        }
        left_[exits_] = reaching.size();
        cost += static_cast<double>(reaching.size()) * seen_.cost[exits_];
        if (right < least_right_ || cost >= best_cost_) {
            return;
        }
        best_cost_ = cost;
        const auto samples = static_cast<double>(seen_.right.front().size());
        best_.thresholds = current_;
        best_.accuracy = right / samples;
        best_.expected_cost = cost / samples;
        best_.share.clear();
        for (const auto count : left_) {
            best_.share.push_back(static_cast<double>(count) / samples);
        }
    }

    const ExitObservations& seen_;
    std::size_t exits_;
    double least_right_;
    std::vector<std::vector<double>> candidates_;
    std::vector<double> current_;
    std::vector<std::size_t> left_;
    double best_cost_ = std::numeric_limits<double>::infinity();
    ThresholdChoice best_;
};

}  // namespace

ThresholdChoice choose_thresholds(const ExitObservations& seen, double max_drop) {
    const auto& final_right = seen.right.back();
    double right = 0;
    for (const auto r : final_right) {
        right += r;
    }
    const double least = right - max_drop * static_cast<double>(final_right.size());
    // All thresholds at kNever are a candidate and give exactly `right`, so there is always an
    // answer.
    return Search(seen, least).best();
}

}  // namespace topress::early_exit
