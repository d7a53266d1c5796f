// The original's logits as part of the loss of any stage: what a technique trains need not forget
// what the network answered before.
#pragma once

#include <topress/model.hpp>
#include <topress/training.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

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

/// Makes a fit follow the logits of `original` beside the labels: cross entropy
/// + weight * T^2 KL(original || network) on standardised logits with T = 2, the mean over the
/// exits and the main output; where the labels are numbers, squared errors in place of both.
/// `original` must outlive the fit; a weight of 0 or less changes nothing. Replaces a loss that is
/// set. Source: Sun et al., CVPR 2024 (arXiv 2403.01427), which weighs 9 : 0.1.
inline void follow_original(FitOptions& options, const Model& original, double weight) {
    if (weight <= 0) {
        return;
    }
    options.teacher = &original;
    options.loss = autograd_loss([weight](const LossInput& input) {
        constexpr double kTemperature = 2;
        const bool is_regression = input.labels.is_floating_point();
        at::Tensor total = at::zeros({}, input.outputs.front().options().requires_grad(false));
        for (const at::Tensor& output : input.outputs) {
            if (is_regression) {
                total = total + at::mse_loss(output, input.labels) +
                        at::mse_loss(output, input.teacher) * weight;
                continue;
            }
            const at::Tensor own = (standardise_logits(output) / kTemperature).log_softmax(1);
            const at::Tensor told =
                (standardise_logits(input.teacher) / kTemperature).log_softmax(1);
            const at::Tensor apart = (told.exp() * (told - own)).sum({1}).mean();
            total = total + apart * (weight * kTemperature * kTemperature) -
                    output.log_softmax(1).gather(1, input.labels.unsqueeze(1)).mean();
        }
        return total / static_cast<double>(input.outputs.size());
    });
}

}  // namespace topress
