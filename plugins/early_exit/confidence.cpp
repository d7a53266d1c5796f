// Training heads, the choice of exits and thresholds, and what of it the network keeps.
#include "confidence.hpp"

#include "number_heads.hpp"

#include <topress/number_loss.hpp>
#include <topress/scales.hpp>

#include <ATen/ATen.h>

#include <sstream>

namespace topress::early_exit {
namespace {

// Without a learning rate of its own, training body and heads together takes this share of the
// run's.
constexpr double kJointRate = 0.1;
// Batches over which batch-norm statistics are measured again after the body was trained.
constexpr std::uint64_t kStatisticsBatches = 50;

/// The same for numbers: label_weight * the run's loss + mean squared distance to the final
/// numbers. Shape: all (N, D).
Loss number_head_loss(const at::Tensor& exit,
                      const at::Tensor& final,
                      const at::Tensor& labels,
                      TaskLoss task_loss,
                      double label_weight) {
    const NumberLoss told = number_loss(exit, final, TaskLoss::MeanSquared);
    const NumberLoss hard = number_loss(exit, labels, task_loss);
    return {told.value + hard.value * label_weight, {told.gradient + hard.gradient * label_weight}};
}

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

/// The loss of the main output on the labels, which trains the body with the heads.
Loss label_loss(const at::Tensor& logits, const at::Tensor& labels, TaskLoss task_loss) {
    if (labels.is_floating_point()) {
        const NumberLoss loss = number_loss(logits, labels, task_loss);
        return {loss.value, {loss.gradient}};
    }
    const at::Tensor log_probability = logits.log_softmax(1);
    const at::Tensor index = labels.unsqueeze(1);
    at::Tensor gradient = log_probability.exp();
    gradient.scatter_add_(1, index, at::full({1, 1}, -1.0, logits.options()).expand_as(index));
    return {-log_probability.gather(1, index).mean(),
            {gradient.div_(static_cast<double>(logits.size(0)))}};
}

std::string alone(double accuracy, bool is_regression) {
    std::ostringstream text;
    text.precision(3);
    if (is_regression) {
        text << "alone R2 " << accuracy;
    } else {
        text << "alone " << accuracy * 100 << " %";
    }
    return text.str();
}

std::string describe(const Head& head,
                     const ChosenExits& chosen,
                     std::size_t exit,
                     bool is_regression) {
    std::ostringstream text;
    text.precision(3);
    text << head.name << " at " << head.place.value << " (" << head.place.macs_share * 100
         << " % of MACs, " << alone(chosen.alone[exit], is_regression) << "): ";
    if (chosen.thresholds[exit] < kNever) {
        text << "threshold " << chosen.thresholds[exit] << ", " << chosen.share[exit] * 100
             << " % leave";
    } else {
        text << (chosen.kept[exit] ? "nobody leaves, the next exit is compared with it"
                                   : "saves too little, left out");
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
    head_.criterion = params.get_or<std::string>("criterion", "");
    epochs_ = params.get<double>("epochs");
    learning_rate_ = params.get<double>("learning_rate");
    max_drop_pp_ = params.get<double>("max_drop_pp");
    counts_gains_ = params.get<bool>("count_gains");
    minimum_saving_ = params.get<double>("minimum_saving");
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
    options.criterion = criterion_for(context.info());
    options.outputs = model.value_shape(model.output()).front();
    OwnedModel trial = model.clone();
    for (const auto& head : heads) {
        attach_head(trial, head, options, context.device(), context.random());
    }
    const bool is_regression = context.info().is_regression();
    std::vector<double> rates;
    if (is_regression) {
        rates = solve_number_heads(trial, context, label_weight_);
    }
    train(trial, context, rates);

    const auto most = candidates_ > 0 ? static_cast<std::size_t>(maximum_exits_) : heads.size();
    const ChosenExits chosen =
        choose_exits(trial, context, {most, bound_for(context.info()), minimum_saving_});
    for (std::size_t k = 0; k < heads.size(); ++k) {
        const bool kept = chosen.kept[k];
        context.log_info(describe(heads[k], chosen, k, is_regression));
        if (kept) {
            trial.set_exit(heads[k].name, chosen.thresholds[k], chosen.share[k]);
        } else {
            trial.remove_exit(heads[k].name);
        }
    }
    context.log_info("main output: " + alone(chosen.alone.back(), is_regression));
    const auto kept = static_cast<double>(trial.exits().size());
    context.metric("exits", kept);
    if (kept == 0) {
        // A body that was trained for exits would have given up something for nothing.
        context.log_warn(
            "no exit saves minimum_saving within max_drop_pp: the network is unchanged");
        context.metric("nothing_to_do", 1);
        return;
    }
    model.assign(trial);
    context.metric("validation_accuracy", chosen.accuracy);
    context.metric("expected_cost_ratio", chosen.cost_ratio);
}

std::vector<Head> ConfidenceExits::plan_heads(const Model& model) const {
    if (!places_.empty()) {
        return heads_at_names(model, places_);
    }
    return candidates_ > 0 ? heads_at_candidates(model, candidates_)
                           : heads_at_positions(model, positions_);
}

std::string ConfidenceExits::criterion_for(const DataInfo& data) const {
    const std::string& wanted = head_.criterion;
    if (!data.is_regression()) {
        return wanted.empty() ? "max-probability" : wanted;
    }
    if (!wanted.empty() && wanted != "agreement") {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "the criterion '" + wanted +
                              "' is about classes, the labels are numbers: write criterion = "
                              "\"agreement\", or leave it out",
                          "criterion");
    }
    return "closeness";
}

AccuracyBound ConfidenceExits::bound_for(const DataInfo& data) const {
    // Every number is somewhat better or worse: without gains no exit would be allowed.
    return {max_drop_pp_ / 100.0, counts_gains_ || data.is_regression()};
}

void ConfidenceExits::choose_again(Model& model, Context& context) const {
    const auto exits = model.exits();
    // All stay, whatever they save: a later stage may not lose what an earlier one attached.
    const ChosenExits chosen =
        choose_exits(model, context, {exits.size(), bound_for(context.info()), 0.0});
    for (std::size_t k = 0; k < exits.size(); ++k) {
        model.set_exit(exits[k].name, chosen.thresholds[k], chosen.share[k]);
        std::ostringstream text;
        text.precision(3);
        text << exits[k].name << ": threshold " << chosen.thresholds[k] << ", "
             << chosen.share[k] * 100 << " % leave";
        context.log_info(text.str());
    }
    context.metric("validation_accuracy", chosen.accuracy);
}

void ConfidenceExits::train(Model& model,
                            Context& context,
                            const std::vector<double>& rates) const {
    if (epochs_ <= 0) {
        return;
    }
    FitOptions options;
    options.phase = is_joint_ ? "joint" : "heads";
    options.epochs = epochs_;
    options.learning_rate = learning_rate_;  // 0 = the run's
    if (is_joint_) {
        options.learning_rate_factor = kJointRate;
        guard_scales(options, model);
    } else {
        options.freeze_others = true;
        options.freeze_statistics = true;
    }
    if (!is_joint_ || !rates.empty()) {
        const auto exits = model.exits();
        for (std::size_t k = 0; k < exits.size(); ++k) {
            for (const auto& name : head_parameters(model, exits[k].name)) {
                options.groups.push_back({"", name, rates.empty() ? 1.0 : rates[k], {}});
            }
        }
    }
    options.loss = [this, data = context.info()](const LossInput& input) {
        const at::Tensor& final = input.outputs.back();
        Loss total;
        total.gradients.resize(input.outputs.size());
        for (std::size_t k = 0; k + 1 < input.outputs.size(); ++k) {
            const at::Tensor& exit = input.outputs[k];
            Loss one = data.is_regression()
                           ? number_head_loss(exit, final, input.labels, data.loss, label_weight_)
                           : head_loss(exit, final, input.labels, temperature_, label_weight_);
            total.value = total.value.defined() ? total.value + one.value : one.value;
            total.gradients[k] = one.gradients.front();
        }
        if (is_joint_) {
            const Loss last = label_loss(final, input.labels, data.loss);
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
