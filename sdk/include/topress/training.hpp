// What a technique tells the host's training loop: loss, hooks, parameter groups, freezing.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/model.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace topress {

/// What a loss sees of one step; the outputs are detached from the network.
/// Shape: outputs each (N, classes), exits in order, then the main output; teacher (N, classes),
/// undefined without a teacher; labels (N) int64; images (N, C, H, W). For regression outputs and
/// teacher are the numbers themselves, and labels are float of the same shape (N, D).
struct LossInput {
    std::vector<at::Tensor> outputs;
    at::Tensor teacher;
    at::Tensor labels;
    at::Tensor images;
    std::uint64_t step = 0;
    std::uint64_t steps = 0;  ///< of the whole fit
};

/// Mean loss (scalar) and its gradient for every output, in their order (undefined = none).
struct Loss {
    at::Tensor value;
    std::vector<at::Tensor> gradients;
};

using LossFunction = std::function<Loss(const LossInput&)>;

/// Called with the network and the number of the step; gradients and parameters may be read and
/// changed in place, and autograd records nothing.
using StepHook = std::function<void(Model& model, std::uint64_t step, std::uint64_t steps)>;

/// A loss whose gradients come from autograd: `function` returns the mean loss as a scalar tensor
/// computed from LossInput::outputs.
inline LossFunction autograd_loss(std::function<at::Tensor(const LossInput&)> function) {
    return [function = std::move(function)](const LossInput& input) {
        const c10::AutoGradMode recording(true);
        LossInput leaves = input;
        for (at::Tensor& output : leaves.outputs) {
            output = output.detach().requires_grad_(true);
        }
        const at::Tensor value = function(leaves);
        if (!value.defined() || value.numel() != 1 || !value.requires_grad()) {
            throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                              "the loss is no scalar that depends on the outputs",
                              "autograd_loss");
        }
        value.backward();
        Loss loss;
        loss.value = value.detach();
        for (const at::Tensor& output : leaves.outputs) {
            loss.gradients.push_back(output.grad());
        }
        return loss;
    };
}

/// Parameters with their own learning rate; by role ("scale") or, when that is empty, by exact
/// name.
struct ParameterGroup {
    std::string role;
    std::string name;
    double learning_rate_factor = 1;  ///< 0 = frozen
    std::optional<double> weight_decay;
};

/// One fit. Whatever is left empty is as in the run's [train] section.
struct FitOptions {
    double epochs = 1;  ///< may be a fraction
    std::optional<double> learning_rate;
    double learning_rate_factor = 1;        ///< of the run's, where learning_rate is not given
    std::optional<double> label_smoothing;  ///< of the default loss
    std::string phase = "train";            ///< shown in progress and curves
    std::optional<std::uint64_t> seed;      ///< empty = the next of context.random()
    const Model* teacher = nullptr;         ///< evaluation mode, never trained
    LossFunction loss;                      ///< empty = the run's
    StepHook after_backward;                ///< gradients are there, the optimizer has not run
    StepHook after_step;
    std::vector<ParameterGroup> groups;
    bool freeze_others = false;      ///< parameters that no group names are frozen
    bool freeze_statistics = false;  ///< batch norm uses and keeps its running statistics
};

struct FitReport {
    std::uint64_t steps = 0;
    double final_loss = 0;  ///< mean of the last epoch
    double seconds = 0;
};

/// On the validation split, exits as the network would answer.
struct Evaluation {
    std::int64_t samples = 0;
    double accuracy = 0;  ///< 0..1; R2 for regression
    double loss = 0;
    std::vector<double> exit_shares;  ///< of the samples that left at each exit, in order
};

}  // namespace topress
