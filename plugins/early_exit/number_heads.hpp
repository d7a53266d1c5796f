// The linear layers of heads that answer numbers: solved, for squares have a closed form.
#pragma once

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <vector>

namespace topress::early_exit {

/// Sets the linear layer of every exit's head to the least squares over some thousand training
/// samples, towards the final numbers and, by `label_weight`, the labels. Training goes on from
/// there; from zeros it would hardly arrive, for the features of a body are neither centred nor of
/// one length. A ridge keeps the solution small where features repeat each other. Source: Hoerl and
/// Kennard 1970, Technometrics 12(1).
///
/// Returns for every head the share of a usual learning rate at which it can be trained: a squared
/// loss is as steep as its features are long.
[[nodiscard]] std::vector<double> solve_number_heads(Model& model,
                                                     Context& context,
                                                     double label_weight);

}  // namespace topress::early_exit
