// The distillation loss as the training loop takes it: fused kernel, value and gradient in one
// pass.
#pragma once

#include <topress/context.hpp>
#include <topress/params.hpp>
#include <topress/training.hpp>

namespace topress::distillation {

/// How a network is taught; read from the parameters both techniques share.
struct Teaching {
    bool standardise = true;
    double temperature = 2.0;
    double teacher_weight = 9.0;
    double label_weight = 0.1;
    double epochs = 0;
    double learning_rate = 0;  ///< 0 = not given
};

/// Reads method, temperature, teacher_weight, label_weight, epochs, learning_rate; fills in what
/// the method leaves open: T = 2, weight 9 with standardised logits (Sun et al., CVPR 2024), T = 4,
/// weight 0.9 plain (Hinton et al. 2015).
[[nodiscard]] Teaching read_teaching(const Params& params);

/// The mean of the losses on all exits and the main output. Needs a teacher in the fit options.
[[nodiscard]] LossFunction teaching_loss(const Teaching& teaching);

}  // namespace topress::distillation
