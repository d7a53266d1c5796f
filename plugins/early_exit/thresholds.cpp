// Dynamic programming over the exits in order: who is left after an exit, what the others cost and
// how many right answers they lost is all that the exits behind it need to know.
#include "thresholds.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

namespace topress::early_exit {
namespace {

// With kNever 64 for each exit, so that up to three exits stay below kMostStates and are exact.
constexpr std::size_t kMostQuantiles = 63;
constexpr std::size_t kMostStates = 4096;
constexpr std::size_t kFewestStates = 64;
// Bounds the work of one exit: every state looks at every sample once.
constexpr double kSampleVisits = 2e8;
// Confidences closer than this count as equal.
constexpr float kLeastGap = 1e-5F;
// Sums of the same numbers in another order differ by less.
constexpr double kRounding = 1e-9;

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
std::vector<double> make_candidates(std::vector<float> confidence) {
    std::vector<double> result{kNever};
    std::sort(confidence.begin(), confidence.end(), std::greater<>());
    const std::size_t samples = confidence.size();
    const std::size_t last = std::min(kMostQuantiles, samples);
    for (std::size_t q = 0; q < last; ++q) {
        const double threshold = threshold_below(confidence, q * samples / last);
        if (threshold < result.back()) {
            result.push_back(threshold);
        }
    }
    return result;
}

/// Samples from the surest to the least sure.
std::vector<std::uint32_t> sorted_by(const std::vector<float>& confidence) {
    std::vector<std::uint32_t> order(confidence.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return confidence[a] > confidence[b];
    });
    return order;
}

/// Where thresholds of the first exits lead.
struct State {
    std::vector<bool> reaching;  ///< [N], the samples that have not left
    std::size_t count = 0;       ///< of them
    double lost = 0;  ///< by those that left: right answers of the main output less theirs
    double cost = 0;  ///< of those that left
    std::vector<double> thresholds;
};

/// One more threshold: a state that is not made yet.
struct Step {
    std::size_t from = 0;  ///< index of a state
    double threshold = 0;
    std::size_t count = 0;
    double lost = 0;
    double cost = 0;
};

/// One of `cells` equal parts of [least, most].
std::size_t cell_of(double value, double least, double most, std::size_t cells) {
    const double share = most > least ? (value - least) / (most - least) : 0.0;
    return std::min(static_cast<std::size_t>(share * static_cast<double>(cells)), cells - 1);
}

/// Steps that lead to about the same number of samples with about the same loss are one: the
/// cheapest stays, of equals the first. All stay where there are at most `most`.
std::vector<Step> merged(std::vector<Step> steps, std::size_t most) {
    if (steps.size() <= most) {
        return steps;
    }
    const auto [fewest, largest] = std::minmax_element(
        steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.count < b.count; });
    const auto [least, worst] = std::minmax_element(
        steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.lost < b.lost; });
    constexpr std::size_t kEmpty = std::numeric_limits<std::size_t>::max();
    const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(most)));
    std::vector<std::size_t> table(side * side, kEmpty);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const std::size_t row = cell_of(static_cast<double>(steps[i].count),
                                        static_cast<double>(fewest->count),
                                        static_cast<double>(largest->count),
                                        side);
        std::size_t& kept =
            table[row * side + cell_of(steps[i].lost, least->lost, worst->lost, side)];
        if (kept == kEmpty || steps[i].cost < steps[kept].cost) {
            kept = i;
        }
    }
    std::sort(table.begin(), table.end());  // thresholds from high to low again
    std::vector<Step> result;
    for (const std::size_t kept : table) {
        if (kept != kEmpty) {
            result.push_back(steps[kept]);
        }
    }
    return result;
}

class Search {
  public:
    Search(const ExitObservations& seen, const AccuracyBound& bound)
        : seen_(seen),
          samples_(seen.right.back().size()),
          least_loss_(bound.counts_gains ? -std::numeric_limits<double>::infinity() : 0.0),
          allowed_(bound.max_drop * static_cast<double>(samples_) + kRounding) {
        const std::size_t exits = seen.confidence.size();
        hope_.assign(exits + 1, std::vector<double>(samples_, 0.0));
        for (std::size_t k = exits; k-- > 0;) {
            for (std::size_t i = 0; i < samples_; ++i) {
                hope_[k][i] = std::min(hope_[k + 1][i], loss_of(k, i));
            }
        }
    }

    /// The thresholds that cost least.
    [[nodiscard]] std::vector<double> run() const {
        const double visits =
            kSampleVisits / static_cast<double>(std::max<std::size_t>(samples_, 1));
        const std::size_t most =
            std::clamp(static_cast<std::size_t>(visits), kFewestStates, kMostStates);
        State start;
        start.reaching.assign(samples_, true);
        start.count = samples_;
        std::vector<State> states{start};
        for (std::size_t k = 0; k < seen_.confidence.size(); ++k) {
            states = made(states, merged(steps_from(states, k), most), k);
        }
        // All thresholds at kNever lose nothing, so that there is always an answer.
        return std::min_element(
                   states.begin(),
                   states.end(),
                   [this](const State& a, const State& b) { return in_all(a) < in_all(b); })
            ->thresholds;
    }

  private:
    [[nodiscard]] double loss_of(std::size_t k, std::size_t i) const {
        return std::max(seen_.right.back()[i] - seen_.right[k][i], least_loss_);
    }

    [[nodiscard]] double in_all(const State& state) const {
        return state.cost + static_cast<double>(state.count) * seen_.cost.back();
    }

    /// Every threshold of exit `k` after every state, without those that later exits cannot mend.
    [[nodiscard]] std::vector<Step> steps_from(const std::vector<State>& states,
                                               std::size_t k) const {
        const std::vector<float>& confidence = seen_.confidence[k];
        const std::vector<std::uint32_t> order = sorted_by(confidence);
        const std::vector<double> candidates = make_candidates(confidence);
        std::vector<Step> steps;
        for (std::size_t s = 0; s < states.size(); ++s) {
            const State& state = states[s];
            double hope = 0;  // of those that stay
            for (std::size_t i = 0; i < samples_; ++i) {
                hope += state.reaching[i] ? hope_[k + 1][i] : 0.0;
            }
            Step step{s, kNever, state.count, state.lost, state.cost};
            std::size_t next = 0;
            for (const double threshold : candidates) {
                for (; next < samples_; ++next) {
                    const std::uint32_t i = order[next];
                    if (static_cast<double>(confidence[i]) < threshold) {
                        break;
                    }
                    if (state.reaching[i]) {
                        --step.count;
                        step.lost += loss_of(k, i);
                        step.cost += seen_.cost[k];
                        hope -= hope_[k + 1][i];
                    }
                }
                step.threshold = threshold;
                if (step.lost + hope <= allowed_) {
                    steps.push_back(step);
                }
            }
        }
        return steps;
    }

    [[nodiscard]] std::vector<State> made(const std::vector<State>& states,
                                          const std::vector<Step>& steps,
                                          std::size_t k) const {
        std::vector<State> result;
        for (const Step& step : steps) {
            State& state = result.emplace_back(states[step.from]);
            state.count = step.count;
            state.lost = step.lost;
            state.cost = step.cost;
            state.thresholds.push_back(step.threshold);
            for (std::size_t i = 0; i < samples_; ++i) {
                if (static_cast<double>(seen_.confidence[k][i]) >= step.threshold) {
                    state.reaching[i] = false;
                }
            }
        }
        return result;
    }

    const ExitObservations& seen_;
    std::size_t samples_;
    double least_loss_;  ///< of one sample; 0: a gain is none
    double allowed_;
    std::vector<std::vector<double>> hope_;  ///< [K + 1][N], least loss at exit k or behind it
};

/// What thresholds give on the samples.
ThresholdChoice outcome_of(const ExitObservations& seen, std::vector<double> thresholds) {
    const std::size_t exits = thresholds.size();
    const std::size_t samples = seen.right.back().size();
    ThresholdChoice choice;
    choice.share.assign(exits + 1, 0.0);
    for (std::size_t i = 0; i < samples; ++i) {
        std::size_t taken = 0;
        while (taken < exits &&
               static_cast<double>(seen.confidence[taken][i]) < thresholds[taken]) {
            ++taken;
        }
        choice.share[taken] += 1;
        choice.accuracy += seen.right[taken][i];
        choice.expected_cost += seen.cost[taken];
    }
    for (double& share : choice.share) {
        share /= static_cast<double>(samples);
    }
    choice.accuracy /= static_cast<double>(samples);
    choice.expected_cost /= static_cast<double>(samples);
    choice.thresholds = std::move(thresholds);
    return choice;
}

}  // namespace

ThresholdChoice choose_thresholds(const ExitObservations& seen, const AccuracyBound& bound) {
    return outcome_of(seen, Search(seen, bound).run());
}

}  // namespace topress::early_exit
