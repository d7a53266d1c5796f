// Training heads, the choice of exits and thresholds, and what of it the network keeps.
#include "confidence.hpp"

#include <topress/exit_criterion.hpp>
#include <topress/scales.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace topress::early_exit {
namespace {

// Without a learning rate of its own, training body and heads together takes this share of the
// run's.
constexpr double kJointRate = 0.1;
// Batches over which batch-norm statistics are measured again after the body was trained.
constexpr std::uint64_t kStatisticsBatches = 50;

/// label_weight * CE + T^2 KL(final || exit), mean over the batch; gradient in closed form.
/// Shape: exit, final (N, C); labels (N).
Loss head_loss(const at::Tensor& exit,
               const at::Tensor& final,
               const at::Tensor& labels,
               double temperature,
               double label_weight) {
    const auto samples = static_cast<double>(exit.size(0));
    const at::Tensor log_soft = (exit / temperature).log_softmax(1);
    const at::Tensor log_target = (final / temperature).log_softmax(1);
    const at::Tensor target = log_target.exp();
    const at::Tensor log_hard = exit.log_softmax(1);
    const at::Tensor divergence =
        (target * (log_target - log_soft)).sum() * (temperature * temperature / samples);
    const at::Tensor cross_entropy = -log_hard.gather(1, labels.unsqueeze(1)).mean();
    at::Tensor gradient = log_hard.exp();
    gradient.scatter_add_(
        1, labels.unsqueeze(1), at::full({exit.size(0), 1}, -1.0, exit.options()));
    gradient.mul_(label_weight).add_((log_soft.exp() - target) * temperature).div_(samples);
    return {divergence + label_weight * cross_entropy, {gradient}};
}

/// Mean cross entropy of the main output, which trains the body with the heads.
Loss label_loss(const at::Tensor& logits, const at::Tensor& labels) {
    const at::Tensor log_probability = logits.log_softmax(1);
    const at::Tensor index = labels.unsqueeze(1);
    at::Tensor gradient = log_probability.exp();
    gradient.scatter_add_(1, index, at::full({1, 1}, -1.0, logits.options()).expand_as(index));
    return {-log_probability.gather(1, index).mean(),
            {gradient.div_(static_cast<double>(logits.size(0)))}};
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

/// As the host's gate computes it. Shape: logits (N, C) -> (N).
at::Tensor confidence_of(const at::Tensor& logits, const Exit& exit) {
    if (std::optional<at::Tensor> value = exit_criterion(logits, exit.criterion)) {
        return *std::move(value);
    }
    throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                      "the criterion '" + exit.criterion + "' of the exit is unknown here",
                      exit.name);
}

void record(std::vector<std::uint8_t>& right, const at::Tensor& logits, const at::Tensor& labels) {
    const at::Tensor equal = logits.argmax(1).eq(labels).to(at::kByte).cpu().contiguous();
    const auto* data = equal.const_data_ptr<std::uint8_t>();
    right.insert(right.end(), data, data + equal.numel());
}

ExitObservations observe_validation(const Model& model, Context& context) {
    const auto all = model.exits();
    const std::size_t exits = all.size();
    ExitObservations seen;
    seen.confidence.resize(exits);
    seen.right.resize(exits + 1);
    auto reader = context.batches(Split::Validation);
    while (const auto batch = reader.next()) {
        const auto outputs = model.forward(batch->images);
        for (std::size_t k = 0; k < exits; ++k) {
            const at::Tensor confidence =
                confidence_of(outputs[k], all[k]).to(at::kFloat).cpu().contiguous();
            const auto* data = confidence.const_data_ptr<float>();
            seen.confidence[k].insert(seen.confidence[k].end(), data, data + confidence.numel());
            record(seen.right[k], outputs[k], batch->labels);
        }
        record(seen.right[exits], outputs[exits], batch->labels);
    }
    return seen;
}

/// Which exits are worth having, and their thresholds; one entry for every head that was tried.
struct ChosenExits {
    std::vector<double> thresholds;  ///< kNever = not worth having
    std::vector<double> share;
    double accuracy = 0;
    double cost_ratio = 1;  ///< expected, of the cost without exits
};

/// The observations of some exits, at the costs of a network that has only those.
ExitObservations only(const ExitObservations& all,
                      const std::vector<std::size_t>& kept,
                      const Model& network) {
    ExitObservations some;
    OwnedModel small = network.clone();
    const auto exits = network.exits();
    for (std::size_t k = 0; k < exits.size(); ++k) {
        if (std::find(kept.begin(), kept.end(), k) == kept.end()) {
            small.remove_exit(exits[k].name);
        } else {
            some.confidence.push_back(all.confidence[k]);
            some.right.push_back(all.right[k]);
        }
    }
    some.right.push_back(all.right.back());
    some.cost = measure_costs(small);
    return some;
}

/// Adds the exit that saves most to those that are chosen, until nothing more is saved or there are
/// `most`. With room for all of them they are weighed together instead.
ChosenExits choose_exits(const Model& network,
                         Context& context,
                         std::size_t most,
                         double max_drop) {
    const ExitObservations all = observe_validation(network, context);
    const std::size_t count = all.confidence.size();
    std::vector<std::size_t> kept;
    ThresholdChoice best = choose_thresholds(only(all, kept, network), max_drop);
    const double without = best.expected_cost;
    if (most >= count) {
        for (std::size_t k = 0; k < count; ++k) {
            kept.push_back(k);
        }
        best = choose_thresholds(only(all, kept, network), max_drop);
    }
    while (kept.size() < std::min(most, count)) {
        std::optional<std::size_t> next;
        for (std::size_t k = 0; k < count; ++k) {
            if (std::find(kept.begin(), kept.end(), k) != kept.end()) {
                continue;
            }
            context.throw_if_cancelled();
            std::vector<std::size_t> tried = kept;
            tried.insert(std::upper_bound(tried.begin(), tried.end(), k), k);
            ThresholdChoice choice = choose_thresholds(only(all, tried, network), max_drop);
            if (choice.expected_cost < best.expected_cost) {
                best = std::move(choice);
                next = k;
            }
        }
        if (!next) {
            break;
        }
        kept.insert(std::upper_bound(kept.begin(), kept.end(), *next), *next);
    }
    ChosenExits chosen;
    chosen.thresholds.assign(count, kNever);
    chosen.share.assign(count, 0.0);
    for (std::size_t i = 0; i < kept.size(); ++i) {
        chosen.thresholds[kept[i]] = best.thresholds[i];
        chosen.share[kept[i]] = best.share[i];
    }
    chosen.accuracy = best.accuracy;
    chosen.cost_ratio = best.expected_cost / without;
    return chosen;
}

std::string describe(const Head& head, double threshold, double share) {
    std::ostringstream text;
    text.precision(3);
    text << head.name << " at " << head.place.value << " (" << head.place.macs_share * 100
         << " % of MACs): ";
    if (threshold >= kNever) {
        text << "not worth its cost, left out";
    } else {
        text << "threshold " << threshold << ", " << share * 100 << " % leave";
    }
    return text.str();
}

}  // namespace

void ConfidenceExits::configure(const Params& params) {
    positions_ = params.get<std::vector<double>>("positions");
    places_ = params.get<std::vector<std::string>>("places");
    candidates_ = params.get<int>("candidates");
    maximum_exits_ = params.get<int>("maximum_exits");
    is_joint_ = params.get<std::string>("training") == "joint";
    head_.kind = parse_head_kind(params.get<std::string>("head"));
    head_.codewords = params.get<std::int64_t>("codewords");
    head_.criterion = params.get<std::string>("criterion");
    epochs_ = params.get<double>("epochs");
    learning_rate_ = params.get<double>("learning_rate");
    max_drop_pp_ = params.get<double>("max_drop_pp");
    temperature_ = params.get<double>("temperature");
    label_weight_ = params.get<double>("label_weight");
    if (!places_.empty() && candidates_ > 0) {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "places names where exits are, candidates lets them be chosen: give one",
                          "candidates");
    }
}

void ConfidenceExits::apply(Model& model, Context& context) {
    if (!model.exits().empty()) {
        choose_again(model, context);
        return;
    }
    const auto heads = plan_heads(model);
    HeadOptions options = head_;
    options.outputs = context.info().classes;
    OwnedModel trial = model.clone();
    for (const auto& head : heads) {
        attach_head(trial, head, options, context.device(), context.random());
    }
    train(trial, context);

    const auto most = candidates_ > 0 ? static_cast<std::size_t>(maximum_exits_) : heads.size();
    const ChosenExits chosen = choose_exits(trial, context, most, max_drop_pp_ / 100.0);
    for (std::size_t k = 0; k < heads.size(); ++k) {
        context.log_info(describe(heads[k], chosen.thresholds[k], chosen.share[k]));
        if (chosen.thresholds[k] >= kNever) {
            trial.remove_exit(heads[k].name);
        } else {
            trial.set_exit(heads[k].name, chosen.thresholds[k], chosen.share[k]);
        }
    }
    model.assign(trial);
    const auto kept = static_cast<double>(model.exits().size());
    context.metric("exits", kept);
    context.metric("validation_accuracy", chosen.accuracy);
    context.metric("expected_cost_ratio", chosen.cost_ratio);
    if (kept == 0) {
        context.log_warn(is_joint_ ? "no exit saves anything within max_drop_pp"
                                   : "no exit saves anything within max_drop_pp: the network is "
                                     "unchanged");
    }
}

std::vector<Head> ConfidenceExits::plan_heads(const Model& model) const {
    if (!places_.empty()) {
        return heads_at_names(model, places_);
    }
    return candidates_ > 0 ? heads_at_candidates(model, candidates_)
                           : heads_at_positions(model, positions_);
}

void ConfidenceExits::choose_again(Model& model, Context& context) const {
    ExitObservations seen = observe_validation(model, context);
    OwnedModel trial = model.clone();
    seen.cost = measure_costs(trial);
    const ThresholdChoice choice = choose_thresholds(seen, max_drop_pp_ / 100.0);
    const auto exits = model.exits();
    for (std::size_t k = 0; k < exits.size(); ++k) {
        model.set_exit(exits[k].name, choice.thresholds[k], choice.share[k]);
        std::ostringstream text;
        text.precision(3);
        text << exits[k].name << ": threshold " << choice.thresholds[k] << ", "
             << choice.share[k] * 100 << " % leave";
        context.log_info(text.str());
    }
    context.metric("validation_accuracy", choice.accuracy);
}

void ConfidenceExits::train(Model& model, Context& context) const {
    if (epochs_ <= 0) {
        return;
    }
    FitOptions options;
    options.phase = is_joint_ ? "joint" : "heads";
    options.epochs = epochs_;
    if (learning_rate_ > 0) {
        options.learning_rate = learning_rate_;
    }
    if (is_joint_) {
        options.learning_rate_factor = kJointRate;
        guard_scales(options, model);
    } else {
        options.freeze_others = true;
        options.freeze_statistics = true;
        for (const auto& exit : model.exits()) {
            for (const auto& name : head_parameters(model, exit.name)) {
                options.groups.push_back({"", name, 1.0, {}});
            }
        }
    }
    options.loss = [this](const LossInput& input) {
        Loss total;
        total.gradients.resize(input.outputs.size());
        for (std::size_t k = 0; k + 1 < input.outputs.size(); ++k) {
            Loss one = head_loss(
                input.outputs[k], input.outputs.back(), input.labels, temperature_, label_weight_);
            total.value = total.value.defined() ? total.value + one.value : one.value;
            total.gradients[k] = one.gradients.front();
        }
        if (is_joint_) {
            const Loss last = label_loss(input.outputs.back(), input.labels);
            total.value = total.value + last.value;
            total.gradients.back() = last.gradients.front();
        }
        return total;
    };
    context.fit(model, options);
    if (is_joint_) {
        context.update_statistics(model, kStatisticsBatches);
    }
}

}  // namespace topress::early_exit
