// What an evaluation counts batch by batch, and the figures that follow from it.
#pragma once

#include "data/dataset.hpp"
#include "train/trainer.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace topress::train {

/// Of samples with classes: how many left at each of `places`, and how many of them were right.
class ClassTally {
  public:
    ClassTally(std::int64_t places, at::Device device);

    /// output (N, C), labels (N) int64, place (N) int64.
    void add(const at::Tensor& output, const at::Tensor& labels, const at::Tensor& place);
    /// All but the loss. Without samples every figure is not a number.
    [[nodiscard]] Evaluation summary() const;

  private:
    at::Tensor left_;     ///< (places) int64
    at::Tensor correct_;  ///< (places) int64
};

/// Of samples with numbers: sums of squared errors at each of `places`, and of the labels.
class NumberTally {
  public:
    NumberTally(std::int64_t places, std::int64_t targets, at::Device device);

    /// output, labels (N, D), place (N) int64.
    void add(const at::Tensor& output, const at::Tensor& labels, const at::Tensor& place);
    /// All but the loss; errors are multiplied by the deviations of `scale`.
    [[nodiscard]] Evaluation summary(const data::TargetScale& scale) const;

  private:
    at::Tensor left_;     ///< (places) int64
    at::Tensor squared_;  ///< (places, D) double
    at::Tensor first_;    ///< (D) double, of the labels
    at::Tensor second_;   ///< (D) double, of their squares
};

}  // namespace topress::train
