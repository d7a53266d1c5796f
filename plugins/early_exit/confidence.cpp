// Heads, their training on a frozen body, the choice of thresholds, and what of it the network
// keeps.
#include "confidence.hpp"

#include <topress/exit_criterion.hpp>
#include <topress/places.hpp>

#include <ATen/ATen.h>

#include <optional>
#include <sstream>

namespace topress::early_exit {
namespace {

/// One head: global pool, flatten, linear.
struct Head {
    std::string name;
    Place place;
};

std::string weight_of(const Head& head) {
    return head.name + ".linear.weight";
}

std::string bias_of(const Head& head) {
    return head.name + ".linear.bias";
}

/// Adds the nodes of a head with these parameters and its exit. weight (classes, channels), bias
/// (classes).
void attach(Model& model,
            const Head& head,
            const std::string& criterion,
            const at::Tensor& weight,
            const at::Tensor& bias) {
    const std::string& n = head.name;
    model.add_parameter(weight_of(head), "weight", weight);
    model.add_parameter(bias_of(head), "bias", bias);
    model.add_node(n + ".pool", "global_avg_pool", {head.place.value}, {n + ".pool.out"});
    model.add_node(n + ".flatten", "flatten", {n + ".pool.out"}, {n + ".flatten.out"});
    model.add_node(n + ".linear",
                   "linear",
                   {n + ".flatten.out", weight_of(head), bias_of(head)},
                   {n + ".logits"});
    Exit exit;
    exit.name = n;
    exit.logits = n + ".logits";
    exit.criterion = criterion;
    exit.threshold = kNever;
    model.attach_exit(exit);
}

std::vector<Head> plan_heads(const Model& model, const std::vector<double>& positions) {
    std::vector<Head> heads;
    for (const auto& place : choose_places(find_places(model), positions)) {
        heads.push_back({"exit" + std::to_string(heads.size() + 1), place});
    }
    if (heads.empty()) {
        throw PluginError(
            TOPRESS_ERROR_UNSUPPORTED,
            "no place for a head: nowhere does all of the computation pass through one value");
    }
    return heads;
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
    epochs_ = params.get<double>("epochs");
    learning_rate_ = params.get<double>("learning_rate");
    criterion_ = params.get<std::string>("criterion");
    max_drop_pp_ = params.get<double>("max_drop_pp");
    temperature_ = params.get<double>("temperature");
    label_weight_ = params.get<double>("label_weight");
}

void ConfidenceExits::apply(Model& model, Context& context) {
    if (!model.exits().empty()) {
        choose_again(model, context);
        return;
    }
    const auto heads = plan_heads(model, positions_);
    const auto classes = context.info().classes;
    OwnedModel trial = model.clone();
    for (const auto& head : heads) {
        // Zeros are a fair start for one linear layer: all classes equally likely, gradients differ
        // by input.
        const auto options = at::TensorOptions().dtype(at::kFloat).device(context.device());
        attach(trial,
               head,
               criterion_,
               at::zeros({classes, head.place.channels}, options),
               at::zeros({classes}, options));
    }
    train_heads(trial, context);

    ExitObservations seen = observe_validation(trial, context);
    seen.cost = measure_costs(trial);
    const ThresholdChoice choice = choose_thresholds(seen, max_drop_pp_ / 100.0);
    int kept = 0;
    for (std::size_t k = 0; k < heads.size(); ++k) {
        context.log_info(describe(heads[k], choice.thresholds[k], choice.share[k]));
        if (choice.thresholds[k] >= kNever) {
            continue;
        }
        attach(model,
               heads[k],
               criterion_,
               trial.parameter(weight_of(heads[k])).detach().clone(),
               trial.parameter(bias_of(heads[k])).detach().clone());
        model.set_exit(heads[k].name, choice.thresholds[k], choice.share[k]);
        ++kept;
    }
    context.metric("exits", kept);
    context.metric("validation_accuracy", choice.accuracy);
    context.metric("expected_cost_ratio", choice.expected_cost / seen.cost.back());
    if (kept == 0) {
        context.log_warn("no exit saves anything within max_drop_pp: the network is unchanged");
    }
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

void ConfidenceExits::train_heads(Model& model, Context& context) const {
    if (epochs_ <= 0) {
        return;
    }
    FitOptions options;
    options.phase = "heads";
    options.epochs = epochs_;
    if (learning_rate_ > 0) {
        options.learning_rate = learning_rate_;
    }
    options.freeze_others = true;
    options.freeze_statistics = true;
    for (const auto& exit : model.exits()) {
        options.groups.push_back({"", exit.name + ".linear.weight", 1.0, {}});
        options.groups.push_back({"", exit.name + ".linear.bias", 1.0, {}});
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
        return total;
    };
    context.fit(model, options);
}

}  // namespace topress::early_exit
