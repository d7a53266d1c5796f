// Asking the validation split once; every combination of exits is weighed from the answers.
#include "choice.hpp"

#include <topress/exit_criterion.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace topress::early_exit {
namespace {

// Labels are in deviations of the training set: less is rounding, and no share of it can be told.
constexpr double kLeastVariance = 1e-12;
// Of accuracies that are equal but for the order of a sum.
constexpr double kRounding = 1e-9;

using Chosen = std::vector<std::size_t>;  // indices of exits, ascending

/// 1 or 0 for each answer; of numbers 1 less the squared error by the variance of the labels.
std::vector<double> rate(const at::Tensor& output, const at::Tensor& labels) {
    at::Tensor values;
    if (labels.is_floating_point()) {
        const at::Tensor wanted = labels.to(at::kDouble);
        const at::Tensor variance =
            (wanted - wanted.mean(0, true)).square().mean(0).clamp_min(kLeastVariance);
        values = 1 - ((output.to(at::kDouble) - wanted).square() / variance).mean(1);
    } else {
        values = output.argmax(1).eq(labels).to(at::kDouble);
    }
    values = values.contiguous();
    const auto* data = values.const_data_ptr<double>();
    return {data, data + values.numel()};
}

/// As the host's gate computes it. Shape: logits, previous (N, C).
std::vector<float> confidence_of(const at::Tensor& logits,
                                 const Exit& exit,
                                 const at::Tensor& previous) {
    const std::optional<at::Tensor> value = exit_criterion(logits, exit.criterion, previous);
    if (!value) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the criterion '" + exit.criterion + "' of the exit is unknown here",
                          exit.name);
    }
    const at::Tensor plain = value->to(at::kFloat).contiguous();
    const auto* data = plain.const_data_ptr<float>();
    return {data, data + plain.numel()};
}

/// BitOps of a sample that leaves at each exit or at the end: the shares are set to one place at a
/// time.
std::vector<double> measure_costs(Model& model) {
    const auto exits = model.exits();
    std::vector<double> costs;
    for (std::size_t taken = 0; taken <= exits.size(); ++taken) {
        for (std::size_t k = 0; k < exits.size(); ++k) {
            model.set_exit(exits[k].name, kNever, k == taken ? 1.0 : 0.0);
        }
        costs.push_back(model.cost().bitops);
    }
    return costs;
}

bool contains(const Chosen& chosen, std::size_t exit) {
    return std::find(chosen.begin(), chosen.end(), exit) != chosen.end();
}

/// The same network with some of its exits.
class Weighing {
  public:
    Weighing(const Model& model, Context& context, const AccuracyBound& bound)
        : model_(model),
          exits_(model.exits()),
          answers_(ask_validation(model, context)),
          bound_(bound) {}

    [[nodiscard]] std::size_t count() const { return exits_.size(); }

    [[nodiscard]] ThresholdChoice weigh(const Chosen& chosen) const {
        ExitObservations seen;
        OwnedModel small = model_.clone();
        at::Tensor previous;
        for (std::size_t k = 0; k < exits_.size(); ++k) {
            if (!contains(chosen, k)) {
                small.remove_exit(exits_[k].name);
                continue;
            }
            seen.confidence.push_back(confidence_of(answers_.outputs[k], exits_[k], previous));
            seen.right.push_back(answers_.right[k]);
            previous = answers_.outputs[k];
        }
        seen.right.push_back(answers_.right.back());
        seen.cost = measure_costs(small);
        return choose_thresholds(seen, bound_);
    }

    /// Of an exit, or of the main output behind the last.
    [[nodiscard]] double alone(std::size_t exit) const {
        const std::vector<double>& right = answers_.right[exit];
        return std::accumulate(right.begin(), right.end(), 0.0) /
               static_cast<double>(std::max<std::size_t>(right.size(), 1));
    }

    /// The main output alone has lost this much already; what it has won changes nothing.
    void take_from_bound(double lost) {
        bound_.max_drop = std::clamp(bound_.max_drop - lost, 0.0, bound_.max_drop);
    }

    [[nodiscard]] bool compares(std::size_t exit) const {
        return compares_with_previous(exits_[exit].criterion);
    }

  private:
    const Model& model_;
    std::vector<Exit> exits_;
    ValidationAnswers answers_;
    AccuracyBound bound_;
};

Chosen with(Chosen chosen, std::size_t exit) {
    chosen.insert(std::upper_bound(chosen.begin(), chosen.end(), exit), exit);
    return chosen;
}

Chosen without(Chosen chosen, std::size_t exit) {
    chosen.erase(std::remove(chosen.begin(), chosen.end(), exit), chosen.end());
    return chosen;
}

/// Exits and what they come to.
struct Choice {
    Chosen exits;
    ThresholdChoice outcome;
};

Choice all_exits(const Weighing& weighing) {
    Choice all;
    all.exits.resize(weighing.count());
    std::iota(all.exits.begin(), all.exits.end(), std::size_t{0});
    all.outcome = weighing.weigh(all.exits);
    return all;
}

/// The best one more, or nothing where none saves anything.
std::optional<Choice> one_more(const Weighing& weighing, const Choice& now, Context& context) {
    std::optional<Choice> best;
    for (std::size_t k = 0; k < weighing.count(); ++k) {
        if (contains(now.exits, k)) {
            continue;
        }
        context.throw_if_cancelled();
        Choice larger{with(now.exits, k), {}};
        larger.outcome = weighing.weigh(larger.exits);
        const double beaten = best ? best->outcome.expected_cost : now.outcome.expected_cost;
        if (larger.outcome.expected_cost < beaten) {
            best = std::move(larger);
        }
    }
    return best;
}

/// One less: the exit without which least is lost, or nothing where that is `worth` or more.
std::optional<Choice> one_less(const Weighing& weighing,
                               const Choice& now,
                               double worth,
                               Context& context) {
    std::optional<Choice> best;
    for (const std::size_t k : now.exits) {
        context.throw_if_cancelled();
        Choice smaller{without(now.exits, k), {}};
        smaller.outcome = weighing.weigh(smaller.exits);
        const double allowed =
            best ? best->outcome.expected_cost : now.outcome.expected_cost + worth;
        if (smaller.outcome.expected_cost < allowed) {
            best = std::move(smaller);
        }
    }
    return best;
}

}  // namespace

ValidationAnswers ask_validation(const Model& model, Context& context) {
    std::vector<std::vector<at::Tensor>> outputs(model.exits().size() + 1);
    std::vector<at::Tensor> labels;
    auto reader = context.batches(Split::Validation);
    while (const auto batch = reader.next()) {
        const auto answered = model.forward(batch->images);
        for (std::size_t k = 0; k < answered.size(); ++k) {
            outputs[k].push_back(answered[k].to(at::kFloat).cpu());
        }
        labels.push_back(batch->labels.cpu());
    }
    ValidationAnswers answers;
    const at::Tensor all_labels = at::cat(labels);
    for (const auto& parts : outputs) {
        answers.outputs.push_back(at::cat(parts));
        answers.right.push_back(rate(answers.outputs.back(), all_labels));
    }
    return answers;
}

ChosenExits choose_exits(const Model& model, Context& context, const ExitBounds& bounds) {
    Weighing weighing(model, context, bounds.accuracy);
    const double lost = bounds.before ? *bounds.before - weighing.alone(weighing.count()) : 0;
    const bool is_spent = lost > bounds.accuracy.max_drop + kRounding;
    const std::size_t most = is_spent ? 0 : std::min(bounds.most, weighing.count());
    weighing.take_from_bound(lost);
    Choice choice{{}, weighing.weigh({})};
    const double without_exits = choice.outcome.expected_cost;
    if (most == weighing.count()) {
        choice = all_exits(weighing);
    }
    while (choice.exits.size() < most) {
        auto larger = one_more(weighing, choice, context);
        if (!larger) {
            break;
        }
        choice = *std::move(larger);
    }
    if (bounds.minimum_saving > 0) {
        const double worth = bounds.minimum_saving * without_exits;
        while (auto smaller = one_less(weighing, choice, worth, context)) {
            choice = *std::move(smaller);
        }
    }
    ChosenExits result;
    result.thresholds.assign(weighing.count(), kNever);
    result.share.assign(weighing.count(), 0.0);
    result.kept.assign(weighing.count(), false);
    for (std::size_t k = 0; k <= weighing.count(); ++k) {
        result.alone.push_back(weighing.alone(k));
    }
    bool is_compared = false;  // with by a later one
    for (std::size_t i = choice.exits.size(); i-- > 0;) {
        const std::size_t k = choice.exits[i];
        result.thresholds[k] = choice.outcome.thresholds[i];
        result.share[k] = choice.outcome.share[i];
        result.kept[k] = is_compared || result.thresholds[k] < kNever;
        is_compared = is_compared || (result.kept[k] && weighing.compares(k));
    }
    result.spent_by_body = is_spent ? lost : 0;
    result.accuracy = choice.outcome.accuracy;
    result.cost_ratio = choice.outcome.expected_cost / without_exits;
    return result;
}

}  // namespace topress::early_exit
