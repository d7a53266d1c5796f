// Cross entropy with its gradient by formula, and the loss of a fit that brings none of its own.
#pragma once

#include "train/trainer.hpp"

#include <ATen/core/Tensor.h>

namespace topress::train {

/// A mean over the batch (scalar) and its gradient with respect to the logits.
struct LossAndGradient {
    at::Tensor loss;
    at::Tensor gradient;
};

/// Cross entropy against labels smoothed to (1 - s) * one-hot + s / classes.
/// Shape:    logits and gradient (N, C), labels (N) int64.
/// Units:    smoothing in [0, 1).
/// Source:   gradient (softmax(logits) - target) / N.
[[nodiscard]] LossAndGradient cross_entropy(const at::Tensor& logits,
                                            const at::Tensor& labels,
                                            double smoothing);

/// The loss of a fit without one of its own: the mean of the cross entropies of every exit and the
/// main output.
[[nodiscard]] LossResult default_loss(const LossInput& input, double smoothing);

/// Checks what a loss returned: a scalar, no more gradients than outputs, each shaped like its
/// output. Throws: Error{train/bad-loss}.
void check_loss(const LossResult& result, const std::vector<at::Tensor>& outputs);

}  // namespace topress::train
