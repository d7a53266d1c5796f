// Group importances of a model by the criteria of the field.
#pragma once

#include "selection.hpp"

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <string>
#include <vector>

namespace topress::pruning {

/// What makes a channel important. A channel's figure goes over every trained member of its group:
/// weights in both directions and batch-norm gammas; not biases, betas, buffers, scales.
enum class Criterion : std::uint8_t {
    L2,      ///< root of the summed squares (DepGraph: Fang et al. 2023, arXiv 2301.12900)
    L1,      ///< summed magnitudes (Li et al. 2017, arXiv 1608.08710)
    Gamma,   ///< summed magnitudes of batch-norm gammas (Liu et al. 2017, arXiv 1708.06519)
    Taylor,  ///< |sum of weight times gradient|, mean over training batches (Molchanov et al. 2019,
             ///< arXiv 1906.10771)
    Random,  ///< a control: what no criterion gives
};

/// Throws PluginError{INVALID_ARGUMENT}.
[[nodiscard]] Criterion parse_criterion(const std::string& name);

/// One figure per channel of every group; initial_channels is set to the present count. Taylor
/// reads training batches, Random draws from the stage's generator.
/// Throws PluginError{UNSUPPORTED} for Gamma where a group has no batch norm.
[[nodiscard]] std::vector<GroupImportance> measure_importance(const Model& model,
                                                              Criterion criterion,
                                                              Context& context);

/// Adds to the gradients of every member of a group what shrinks its less important channels:
/// strength * 16^((max - I) / (max - min)) * weight, with I the L2 importance of the channel in its
/// group. Source: DepGraph, sparse training.
void add_group_penalty(Model& trained, double strength);

}  // namespace topress::pruning
