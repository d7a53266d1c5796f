// Which parameters learn, how fast and from what.
#include "head_training.hpp"

#include "head_losses.hpp"
#include "heads.hpp"

#include <topress/follow_original.hpp>
#include <topress/scales.hpp>

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <utility>

namespace topress::early_exit {
namespace {

// Without a learning rate of its own, a trained body takes this share of the run's; its heads,
// which are new, take all of it.
constexpr double kJointRate = 0.1;

// Joint training: what the heads weigh beside the main output, and the original beside the labels,
// the latter as in the distillation plugin.
struct Weights {
    double heads = 0;
    double original = 0;
};

constexpr Weights kClasses{0.05, 9};
constexpr Weights kNumbers{1, 0.9};
// Batches over which batch-norm statistics are measured again after the body was trained.
constexpr std::uint64_t kStatisticsBatches = 50;

/// What holds the main output while the body learns with its heads; makes `original` the teacher of
/// the fit if it does.
LossFunction main_loss(FitOptions& options,
                       const Model& original,
                       double weight,
                       const DataInfo& data) {
    follow_original(options, original, weight, data.loss);
    return options.loss ? std::move(options.loss) : labels_alone(data);
}

Weights weights_of(const HeadTraining& training, const DataInfo& data) {
    const Weights usual = data.is_regression() ? kNumbers : kClasses;
    return {training.heads_weight.value_or(usual.heads),
            training.original_weight.value_or(usual.original)};
}

std::vector<std::string> all_head_parameters(const Model& model) {
    std::vector<std::string> names;
    for (const Exit& exit : model.exits()) {
        const auto own = head_parameters(model, exit.name);
        names.insert(names.end(), own.begin(), own.end());
    }
    return names;
}

/// Gives heads the gradient of their whole loss back: `share` of it is meant for the body.
StepHook restore_gradients(std::vector<std::string> names, double share) {
    return [names = std::move(names), share](Model& model, std::uint64_t, std::uint64_t) {
        for (const std::string& name : names) {
            at::Tensor gradient = model.parameter(name).grad();
            if (gradient.defined()) {
                gradient.div_(share);
            }
        }
    };
}

}  // namespace

void train_heads(Model& model,
                 Context& context,
                 const HeadTraining& training,
                 const std::vector<double>& rates) {
    if (training.epochs <= 0) {
        return;
    }
    const DataInfo data = context.info();
    const auto exits = model.exits();
    FitOptions options;
    options.epochs = training.epochs;
    options.learning_rate = training.learning_rate;  // 0 = the run's
    double head_rate = 1;
    if (training.is_joint) {
        options.phase = "joint";
        const Weights weights = weights_of(training, data);
        LossFunction main = main_loss(options, context.original(), weights.original, data);
        options.loss = joint_loss(training.lesson, data, std::move(main), weights.heads);
        options.after_backward = restore_gradients(
            all_head_parameters(model), weights.heads / static_cast<double>(exits.size()));
        options.learning_rate_factor = kJointRate;
        head_rate = training.learning_rate > 0 ? 1 : 1 / kJointRate;
        guard_scales(options, model);
    } else {
        options.phase = "heads";
        options.loss = [lesson = training.lesson, data](const LossInput& input) {
            return heads_loss(lesson, data, input);
        };
        options.freeze_others = true;
        options.freeze_statistics = true;
    }
    for (std::size_t k = 0; k < exits.size(); ++k) {
        for (const auto& name : head_parameters(model, exits[k].name)) {
            options.groups.push_back(
                {"", name, rates.empty() ? head_rate : rates[k] * head_rate, {}});
        }
    }
    context.fit(model, options);
    if (training.is_joint) {
        context.update_statistics(model, kStatisticsBatches);
    }
}

}  // namespace topress::early_exit
