// The loss of a run with its gradient by formula, and the loss of a fit that brings none of its
// own.
#pragma once

#include "train/trainer.hpp"

#include <ATen/core/Tensor.h>

#include <string>

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

/// What a run trains with: the loss of that name ([train] loss), or for "" the one of its task,
/// cross entropy or mean squared error. Throws: Error{train/loss-mismatch} when it is one of the
/// other task, {train/unknown-loss}.
[[nodiscard]] TaskLoss choose_loss(const std::string& name, const TrainingData& data);

/// Numbers have no classes to spread a label over. Throws: Error{train/loss-mismatch}.
void refuse_smoothing(double smoothing, const TrainingData& data);

/// The loss of one output. Smoothing is that of cross entropy alone.
/// Shape:    output and gradient (N, C); labels (N) int64, or (N, C) float for a loss of numbers.
[[nodiscard]] LossAndGradient task_loss(const at::Tensor& output,
                                        const at::Tensor& labels,
                                        TaskLoss loss,
                                        double smoothing);

/// The loss of a fit without one of its own: the mean of the losses of every exit and the main
/// output.
[[nodiscard]] LossResult default_loss(const LossInput& input, TaskLoss loss, double smoothing);

/// Adds the teacher's answers to `own`, the mean over exits and main output: weight * T^2
/// KL(teacher || output) on logits standardised for each sample, T = 2; where labels are numbers,
/// weight * mean squared distance. Requires: input.teacher is defined.
/// Source: topress/standardised_divergence.hpp.
void follow_teacher(LossResult& own, const LossInput& input, double weight);

/// Checks what a loss returned: a scalar, no more gradients than outputs, each shaped like its
/// output. Throws: Error{train/bad-loss}.
void check_loss(const LossResult& result, const std::vector<at::Tensor>& outputs);

}  // namespace topress::train
