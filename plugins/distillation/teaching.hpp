// Being taught by the original: the fit that both techniques share, and its loss (fused kernel,
// value and gradient in one pass).
#pragma once

#include <topress/context.hpp>
#include <topress/model.hpp>
#include <topress/number_loss.hpp>
#include <topress/params.hpp>
#include <topress/training.hpp>

namespace topress::distillation {

/// How a network is taught; read from the parameters both techniques share.
struct Teaching {
    bool standardise = true;
    bool decouple = false;
    double temperature = 2.0;
    double teacher_weight = 9.0;
    double label_weight = 0.1;
    double hint_weight = 0;  ///< of the distance between values (hints.hpp); 0 = none
    double epochs = 0;
    double learning_rate = 0;                     ///< 0 = not given
    double number_weight = 0.9;                   ///< of the teacher where labels are numbers
    TaskLoss task_loss = TaskLoss::CrossEntropy;  ///< of the run, on the labels
};

/// Reads method, temperature, teacher_weight, label_weight, hint_weight, epochs, learning_rate;
/// fills in what the method leaves open: T = 2, weight 9 with standardised logits (Sun et al., CVPR
/// 2024); T = 4, weight 0.9 plain (Hinton et al. 2015); T = 4, weight 8 decoupled (Zhao et al.,
/// CVPR 2022), where it is that of the classes other than the label; weight 0.9 where labels are
/// numbers.
[[nodiscard]] Teaching read_teaching(const Params& params);

/// The mean of the losses on all exits and the main output. Needs a teacher in the fit options.
/// Where labels are numbers, whatever the method: label_weight * task_loss + number_weight * mean
/// squared distance to the teacher's numbers.
[[nodiscard]] LossFunction teaching_loss(const Teaching& teaching);

/// Part of the teaching that is one fit.
struct Lesson {
    const char* phase = "teach";
    double epochs = 0;
    double learning_rate_factor = 1;
};

/// Trains a network on the original's logits, and on hints from its values if asked for. Scales of
/// quantize nodes learn more slowly than the weights and stay positive.
FitReport teach(Model& taught, Context& context, const Teaching& teaching, const Lesson& lesson);

}  // namespace topress::distillation
