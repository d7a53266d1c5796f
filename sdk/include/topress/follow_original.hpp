// The original's logits as part of the loss of any stage: what a technique trains need not forget
// what the network answered before.
#pragma once

#include <topress/model.hpp>
#include <topress/number_loss.hpp>
#include <topress/standardised_divergence.hpp>
#include <topress/training.hpp>

#include <ATen/ATen.h>

namespace topress {

namespace detail {

/// The mean over all outputs of cross entropy + weight * standardised_divergence().
inline Loss followed_classes(const LossInput& input, double weight) {
    const double share = 1.0 / static_cast<double>(input.outputs.size());
    const at::Tensor index = input.labels.unsqueeze(1);
    Loss total;
    for (const at::Tensor& output : input.outputs) {
        const at::Tensor log_probability = output.log_softmax(1);
        const at::Tensor hard = log_probability.gather(1, index).mean().neg();
        const at::Tensor hard_gradient =
            (log_probability.exp() - at::zeros_like(output).scatter(1, index, 1.0)) /
            static_cast<double>(output.size(0));
        const Divergence told = standardised_divergence(output, input.teacher);
        const at::Tensor one = (hard + told.value * weight) * share;
        total.value = total.value.defined() ? total.value + one : one;
        total.gradients.push_back((hard_gradient + told.gradient * weight) * share);
    }
    return total;
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
/// + weight * standardised_divergence(), the mean over the exits and the main output; where labels
/// are numbers, `task_loss` (context.info().loss)
/// + weight * mean squared distance. `original` must outlive the fit; a weight of 0 or less changes
/// nothing. Replaces a loss that is set. Source: Sun et al., CVPR 2024 (arXiv 2403.01427), which
/// weighs 9 : 0.1.
inline void follow_original(FitOptions& options,
                            const Model& original,
                            double weight,
                            TaskLoss task_loss) {
    if (weight <= 0) {
        return;
    }
    options.teacher = &original;
    options.loss = [weight, task_loss](const LossInput& input) {
        return input.labels.is_floating_point() ? detail::followed_numbers(input, weight, task_loss)
                                                : detail::followed_classes(input, weight);
    };
}

}  // namespace topress
