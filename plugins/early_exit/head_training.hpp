// Training of heads: alone on a frozen body, or jointly with it.
#pragma once

#include "head_losses.hpp"

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <optional>
#include <vector>

namespace topress::early_exit {

/// What is trained, for how long, and from what. Weights that are not given: what was measured to
/// be worth having, for the task (docs/decisions/0038-a-jointly-trained-body-is-held.md).
struct HeadTraining {
    bool is_joint = false;
    double epochs = 0;
    double learning_rate = 0;  ///< 0 = the run's, for a body a tenth of it
    HeadLesson lesson;
    std::optional<double> heads_weight;     ///< joint: of the mean loss of the heads, for the body
    std::optional<double> original_weight;  ///< joint: of the original, for the main output
};

/// Trains all exits of `model` on heads_loss(). In joint training the body learns joint_loss() with
/// the main output held by labels and original as in follow_original(), by labels alone where
/// original_weight is 0; a head learns from its own whole loss, whatever that weighs for the body.
/// `rates`: what each head learns at, of the learning rate; empty = all of it.
void train_heads(Model& model,
                 Context& context,
                 const HeadTraining& training,
                 const std::vector<double>& rates);

}  // namespace topress::early_exit
