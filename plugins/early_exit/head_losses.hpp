// What heads learn from, and what a body learns with them.
#pragma once

#include <topress/context.hpp>
#include <topress/training.hpp>

namespace topress::early_exit {

/// How a head weighs what teaches it.
struct HeadLesson {
    double temperature = 1;   ///< T of the final logits
    double label_weight = 0;  ///< of the labels beside them
};

/// The sum over all heads of label_weight * CE + T^2 KL(final || head); of numbers label_weight *
/// the run's loss + the mean squared distance to the final ones. No gradient for the main output.
/// Source: Phuong and Lampert 2019 (distillation-based training for multi-exit architectures).
[[nodiscard]] Loss heads_loss(const HeadLesson& lesson,
                              const DataInfo& data,
                              const LossInput& input);

/// `main` on the main output alone + heads_weight * the mean of the heads' losses. Source: a joint
/// loss as in Teerapittayanon et al. 2016 (BranchyNet).
[[nodiscard]] LossFunction joint_loss(const HeadLesson& lesson,
                                      const DataInfo& data,
                                      LossFunction main,
                                      double heads_weight);

/// The run's loss of one output on the labels, cross entropy for classes.
[[nodiscard]] LossFunction labels_alone(const DataInfo& data);

}  // namespace topress::early_exit
