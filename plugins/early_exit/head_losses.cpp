// Gradients in closed form; the main output teaches and is not taught.
#include "head_losses.hpp"

#include <topress/number_loss.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace topress::early_exit {
namespace {

/// Shape: all (N, D).
Loss number_head_loss(const at::Tensor& exit,
                      const at::Tensor& final,
                      const at::Tensor& labels,
                      TaskLoss task_loss,
                      double label_weight) {
    const NumberLoss told = number_loss(exit, final, TaskLoss::MeanSquared);
    const NumberLoss hard = number_loss(exit, labels, task_loss);
    return {told.value + hard.value * label_weight, {told.gradient + hard.gradient * label_weight}};
}

/// The mean over the batch; gradient in closed form. Shape: exit, final (N, C); labels (N).
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

/// Of one output taught by `final`, which may be that output: then the labels alone teach it.
Loss output_loss(const HeadLesson& lesson,
                 const DataInfo& data,
                 const at::Tensor& output,
                 const at::Tensor& final,
                 const at::Tensor& labels) {
    return data.is_regression()
               ? number_head_loss(output, final, labels, data.loss, lesson.label_weight)
               : head_loss(output, final, labels, lesson.temperature, lesson.label_weight);
}

}  // namespace

Loss heads_loss(const HeadLesson& lesson, const DataInfo& data, const LossInput& input) {
    const at::Tensor& final = input.outputs.back();
    Loss total;
    total.gradients.resize(input.outputs.size());
    for (std::size_t k = 0; k + 1 < input.outputs.size(); ++k) {
        Loss one = output_loss(lesson, data, input.outputs[k], final, input.labels);
        total.value = total.value.defined() ? total.value + one.value : one.value;
        total.gradients[k] = one.gradients.front();
    }
    return total;
}

LossFunction joint_loss(const HeadLesson& lesson,
                        const DataInfo& data,
                        LossFunction main,
                        double heads_weight) {
    return [lesson, data, heads_weight, main = std::move(main)](const LossInput& input) {
        Loss total = heads_loss(lesson, data, input);
        const double share =
            heads_weight / static_cast<double>(std::max<std::size_t>(input.outputs.size() - 1, 1));
        for (at::Tensor& gradient : total.gradients) {
            if (gradient.defined()) {
                gradient.mul_(share);
            }
        }
        LossInput last = input;
        last.outputs = {input.outputs.back()};
        Loss held = main(last);
        total.value = total.value * share + held.value;
        total.gradients.back() = std::move(held.gradients.front());
        return total;
    };
}

LossFunction labels_alone(const DataInfo& data) {
    return [data](const LossInput& input) {
        const at::Tensor& output = input.outputs.front();
        return output_loss({1, 1}, data, output, output, input.labels);
    };
}

}  // namespace topress::early_exit
