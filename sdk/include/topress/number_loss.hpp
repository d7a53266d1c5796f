// Losses of numbers: the one formula that the host's training and the losses of techniques use.
#pragma once

#include <topress/abi.h>

#include <ATen/ATen.h>

#include <cstdint>

namespace topress {

/// What a run trains with.
enum class TaskLoss : std::uint32_t {
    CrossEntropy = TOPRESS_LOSS_CROSS_ENTROPY,
    MeanSquared = TOPRESS_LOSS_MSE,
    MeanAbsolute = TOPRESS_LOSS_MAE,
    Huber = TOPRESS_LOSS_HUBER
};

/// A mean over the batch and its gradient with respect to the output.
struct NumberLoss {
    at::Tensor value;     ///< scalar
    at::Tensor gradient;  ///< shaped like the output
};

/// Mean over samples and targets of e^2, |e|, or Huber's e^2 / 2 up to |e| = 1 and |e| - 1/2
/// beyond, where e = output - target. Shape: output, target (N, D). Requires: a loss of numbers.
inline NumberLoss number_loss(const at::Tensor& output, const at::Tensor& target, TaskLoss loss) {
    const at::Tensor error = output - target;
    const double share = error.numel() > 0 ? 1.0 / static_cast<double>(error.numel()) : 0.0;
    if (loss == TaskLoss::MeanAbsolute) {
        return {error.abs().sum() * share, error.sign() * share};
    }
    if (loss == TaskLoss::Huber) {
        const at::Tensor inner = error.clamp(-1, 1);
        return {(inner * (error - inner / 2)).sum() * share, inner * share};
    }
    return {error.square().sum() * share, error * (2 * share)};
}

}  // namespace topress
