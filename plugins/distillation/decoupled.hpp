// Decoupled distillation: how sure the teacher is, and what else it thinks of, weighed apart.
#pragma once

#include <topress/training.hpp>

#include <ATen/core/Tensor.h>

namespace topress::distillation {

/// Weights of the two parts and of the cross entropy with the labels.
struct Decoupling {
    double target_weight = 1;  ///< alpha: the label's probability against all others
    double other_weight = 8;   ///< beta: the others among themselves
    double label_weight = 0.1;
    double temperature = 4;
};

/// T^2 (alpha KL(b_teacher, b_student) + beta KL(q_teacher, q_student)) + label_weight CE, mean
/// over the batch, with its gradient: b is (label, not label), q the distribution over the other
/// classes. Shape: student, teacher (N, C) with C >= 2; labels (N) int64. With two classes q says
/// nothing. Source: Zhao et al. 2022, arXiv 2203.08679.
[[nodiscard]] Loss decoupled_loss(const at::Tensor& student,
                                  const at::Tensor& teacher,
                                  const at::Tensor& labels,
                                  const Decoupling& decoupling);

}  // namespace topress::distillation
