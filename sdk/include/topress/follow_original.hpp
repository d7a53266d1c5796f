// The original's logits as part of the loss of any stage: what a technique trains need not forget
// what the network answered before.
#pragma once

#include <topress/model.hpp>
#include <topress/number_loss.hpp>
#include <topress/training.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace topress {

/// z-scores of every row, zeros where a row is constant. Shape: logits (N, C) -> (N, C).
[[nodiscard]] inline at::Tensor standardise_logits(const at::Tensor& logits) {
    constexpr double kLeastDeviation = 1e-7;
    const at::Tensor centred = logits - logits.mean({1}, true);
    const double freedom = static_cast<double>(std::max<std::int64_t>(logits.size(1) - 1, 1));
    const at::Tensor variance = centred.square().sum({1}, true) / freedom;
    const at::Tensor is_constant = variance.le(kLeastDeviation * kLeastDeviation);
    return at::where(is_constant, at::zeros_like(centred), centred)
        .div(variance.masked_fill(is_constant, 1.0).sqrt());
}

namespace detail {

/// The mean over all outputs of cross entropy + weight * T^2 KL(teacher || output).
inline at::Tensor followed_classes(const LossInput& input, double weight) {
    constexpr double kTemperature = 2;
    const at::Tensor told = (standardise_logits(input.teacher) / kTemperature).log_softmax(1);
    const at::Tensor index = input.labels.unsqueeze(1);
    at::Tensor total;
    for (const at::Tensor& output : input.outputs) {
        const at::Tensor own = (standardise_logits(output) / kTemperature).log_softmax(1);
        const at::Tensor apart = (told.exp() * (told - own)).sum({1}).mean();
        const at::Tensor one = apart * (weight * kTemperature * kTemperature) -
                               output.log_softmax(1).gather(1, index).mean();
        total = total.defined() ? total + one : one;
    }
    return total / static_cast<double>(input.outputs.size());
}

/// The same of numbers: the run's loss + weight * mean squared distance to the teacher's.
inline Loss followed_numbers(const LossInput& input, double weight, TaskLoss task_loss) {
    const double share = 1.0 / static_cast<double>(input.outputs.size());
    Loss total;
    for (const at::Tensor& output : input.outputs) {
        const NumberLoss hard = number_loss(output, input.labels, task_loss);
        const NumberLoss told = number_loss(output, input.teacher, TaskLoss::MeanSquared);
        const at::Tensor one = (hard.value + told.value * weight) * share;
        total.value = total.value.defined() ? total.value + one : one;
        total.gradients.push_back((hard.gradient + told.gradient * weight) * share);
    }
    return total;
}

}  // namespace detail

/// Makes a fit follow the answers of `original` beside the labels: cross entropy
/// + weight * T^2 KL(original || network) on standardised logits with T = 2, the mean over the
/// exits and the main output; where labels are numbers, `task_loss` (context.info().loss) + weight
/// * mean squared distance. `original` must outlive the fit; a weight of 0 or less changes nothing.
/// Replaces a loss that is set. Source: Sun et al., CVPR 2024 (arXiv 2403.01427), which weighs
/// 9 : 0.1.
inline void follow_original(FitOptions& options,
                            const Model& original,
                            double weight,
                            TaskLoss task_loss) {
    if (weight <= 0) {
        return;
    }
    options.teacher = &original;
    LossFunction classes = autograd_loss(
        [weight](const LossInput& input) { return detail::followed_classes(input, weight); });
    options.loss = [weight, task_loss, classes = std::move(classes)](const LossInput& input) {
        return input.labels.is_floating_point() ? detail::followed_numbers(input, weight, task_loss)
                                                : classes(input);
    };
}

}  // namespace topress
