// topress.training/1: the training loop, with losses and hooks that live in a plugin.
#include "base/error.hpp"
#include "plugin/host_objects.hpp"
#include "plugin/host_tables.hpp"

#include <topress/tensor.hpp>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

namespace topress::plugin {

namespace {

train::Trainer& trainer_of(topress_run* run) {
    return *required(run, "run").services.trainer;
}

/// NaN means: as in the run.
std::optional<double> given(double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::vector<topress_tensor*> handles_of(std::vector<at::Tensor>& tensors) {
    std::vector<topress_tensor*> handles;
    for (at::Tensor& tensor : tensors) {
        handles.push_back(to_handle(tensor));
    }
    return handles;
}

/// The gradients must fit the outputs, or autograd would fail far from the cause.
void check_loss(const train::LossInput& input, const train::LossResult& result) {
    if (!result.loss.defined() || result.loss.numel() != 1) {
        reject("the loss function gave no scalar loss", "loss");
    }
    for (std::size_t i = 0; i < input.outputs.size(); ++i) {
        const at::Tensor& gradient = result.gradients[i];
        if (gradient.defined() && gradient.sizes() != input.outputs[i].sizes()) {
            reject("the loss function gave a gradient of another shape than output " +
                       std::to_string(i),
                   "loss");
        }
    }
}

train::LossResult call_loss(topress_loss_function function,
                            void* context,
                            const train::LossInput& input) {
    std::vector<const topress_tensor*> outputs;
    for (const at::Tensor& output : input.outputs) {
        outputs.push_back(to_handle(output));
    }
    const topress_loss_input plain = {sizeof(topress_loss_input),
                                      static_cast<std::uint32_t>(outputs.size()),
                                      outputs.data(),
                                      input.teacher.defined() ? to_handle(input.teacher) : nullptr,
                                      to_handle(input.labels),
                                      to_handle(input.images),
                                      input.step,
                                      input.steps};
    train::LossResult result;
    result.gradients.resize(outputs.size());
    const std::vector<topress_tensor*> gradients = handles_of(result.gradients);
    topress_error error = detail::make_error();
    detail::throw_if_failed(
        function(context, &plain, to_handle(result.loss), gradients.data(), &error), error);
    check_loss(input, result);
    return result;
}

/// A hook of a plugin; it gets the handle it passed to fit, and changes parameters unrecorded.
train::StepHook to_hook(topress_step_function function, void* context, topress_model* model) {
    if (function == nullptr) {
        return {};
    }
    return [function, context, model](network::Network&, std::uint64_t step, std::uint64_t steps) {
        const c10::NoGradGuard no_grad;
        topress_error error = detail::make_error();
        detail::throw_if_failed(function(context, model, step, steps, &error), error);
    };
}

std::vector<train::ParameterGroup> to_groups(const topress_parameter_group* groups,
                                             std::uint64_t count) {
    std::vector<train::ParameterGroup> result;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto stride = required_struct(groups, "groups").struct_size;
        const auto* bytes = reinterpret_cast<const char*>(groups) + i * stride;
        const auto& plain = *reinterpret_cast<const topress_parameter_group*>(bytes);
        train::ParameterGroup& group = result.emplace_back();
        group.role = plain.role != nullptr ? plain.role : "";
        group.name = plain.name != nullptr ? plain.name : "";
        if (group.role.empty() == group.name.empty()) {
            reject("a parameter group names either a role or a parameter", "groups");
        }
        if (!group.role.empty()) {
            static_cast<void>(network::parse_role(group.role));
        }
        group.learning_rate_factor = plain.learning_rate_factor;
        group.weight_decay = given(plain.weight_decay);
    }
    return result;
}

/// A misspelt name would silently train everything else.
void check_groups(const network::Network& network,
                  const std::vector<train::ParameterGroup>& groups) {
    for (const train::ParameterGroup& group : groups) {
        if (!group.name.empty()) {
            static_cast<void>(network.parameter(group.name));
        }
    }
}

/// The rate asked for; else the run's, scaled, where a factor is given.
std::optional<double> to_learning_rate(const topress_fit_options& plain, double of_the_run) {
    if (plain.learning_rate != 0 && !std::isnan(plain.learning_rate)) {
        return plain.learning_rate;
    }
    return plain.learning_rate_factor == 0 ? std::nullopt
                                           : std::optional(of_the_run * plain.learning_rate_factor);
}

train::FitOptions to_options(const topress_fit_options& plain,
                             topress_model* model,
                             double learning_rate_of_the_run) {
    train::FitOptions options;
    if (!(plain.epochs >= 0) || !std::isfinite(plain.epochs)) {
        reject("the number of epochs must be 0 or more", "epochs");
    }
    options.epochs = plain.epochs;
    options.learning_rate = to_learning_rate(plain, learning_rate_of_the_run);
    options.label_smoothing = given(plain.label_smoothing);
    options.phase = plain.phase != nullptr ? plain.phase : "train";
    options.seed = plain.seed;
    options.teacher = plain.teacher != nullptr ? &plain.teacher->network : nullptr;
    if (plain.loss != nullptr) {
        options.loss = [function = plain.loss,
                        context = plain.loss_context](const train::LossInput& input) {
            return call_loss(function, context, input);
        };
    }
    options.after_backward = to_hook(plain.after_backward, plain.step_context, model);
    options.after_step = to_hook(plain.after_step, plain.step_context, model);
    options.groups = to_groups(plain.groups, plain.group_count);
    options.freeze_others = plain.freeze_others != 0;
    options.freeze_statistics = plain.freeze_statistics != 0;
    return options;
}

/// [train] original_weight: a fit that says nothing about its loss follows the original too.
void attach_original(train::FitOptions& options, const topress_run& run, double weight) {
    if (weight > 0 && !options.loss && options.teacher == nullptr) {
        options.teacher = &run.original;
        options.teacher_weight = weight;
    }
}

topress_status fit(topress_run* run,
                   topress_model* model,
                   const topress_fit_options* plain,
                   topress_fit_report* out,
                   topress_error* error) noexcept {
    return guard_host(error, [&] {
        train::Trainer& trainer = trainer_of(run);
        topress_fit_report& report = required_struct(out, "out");
        network::Network& network = required(model, "model").edit();
        train::FitOptions options =
            to_options(required_struct(plain, "options"), model, trainer.defaults().learning_rate);
        attach_original(options, *run, trainer.defaults().original_weight);
        check_groups(network, options.groups);
        const train::FitReport done = trainer.fit(network, options);
        report.steps = done.steps;
        report.final_loss = done.final_loss;
        report.seconds = done.seconds;
        auto& curves = run->services.curves;
        curves.insert(curves.end(), done.epochs.begin(), done.epochs.end());
    });
}

topress_status evaluate(topress_run* run,
                        topress_model* model,
                        topress_evaluation* out,
                        topress_error* error) noexcept {
    return guard_host(error, [&] {
        train::Trainer& trainer = trainer_of(run);
        topress_evaluation& plain = required_struct(out, "out");
        const network::Network& network = required(model, "model").network;
        const train::Evaluation found = trainer.evaluate(network, trainer.data().validation);
        plain.samples = static_cast<std::uint64_t>(found.samples);
        plain.accuracy = found.accuracy;
        plain.loss = found.loss;
        run->exit_shares = found.share;
        plain.exit_count = network.exits().size();
        plain.exit_shares = run->exit_shares.data();
    });
}

topress_status update_statistics(topress_run* run,
                                 topress_model* model,
                                 std::uint64_t batches,
                                 topress_error* error) noexcept {
    return guard_host(error, [&] {
        constexpr std::uint64_t kMostBatches = 1ULL << 32U;
        trainer_of(run).update_statistics(
            required(model, "model").edit(),
            static_cast<std::int64_t>(std::min(batches, kMostBatches)),
            next_random(run->generator));
    });
}

}  // namespace

const topress_training_v1& training_table() noexcept {
    static constexpr topress_training_v1 kTable = {
        sizeof(topress_training_v1), &fit, &evaluate, &update_statistics};
    return kTable;
}

}  // namespace topress::plugin
