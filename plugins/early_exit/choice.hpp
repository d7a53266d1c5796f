// Which exits a network should have and with which thresholds, from what it answers on validation.
#pragma once

#include "thresholds.hpp"

#include <topress/context.hpp>
#include <topress/model.hpp>

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace topress::early_exit {

/// What every exit and the main output answer on the validation split.
struct ValidationAnswers {
    std::vector<at::Tensor> outputs;         ///< [K + 1], each (N, C) float on the CPU
    std::vector<std::vector<double>> right;  ///< as in ExitObservations
};

/// Requires: exits as attached to `model`, in order.
[[nodiscard]] ValidationAnswers ask_validation(const Model& model, Context& context);

/// Thresholds and shares of all exits that `model` has; one that is not worth having lets nobody
/// leave (kNever).
struct ChosenExits {
    std::vector<double> thresholds;
    std::vector<double> share;
    std::vector<bool> kept;  ///< those that let samples leave, or that a later one is compared with
    std::vector<double> alone;  ///< [K + 1] accuracy, or R2, where everybody leaves there
    double accuracy = 0;        ///< R2 where labels are numbers
    double cost_ratio = 1;      ///< expected, of the cost without exits
    /// 0..1: what the main output lost since ExitBounds::before, where that is more than may be
    /// lost, so that no exit is kept; else 0.
    double spent_by_body = 0;
};

/// What a choice of exits has to keep to.
struct ExitBounds {
    std::size_t most = 0;  ///< exits that are kept
    AccuracyBound accuracy;
    /// 0..1: what an exit has to save beside the others, of the cost without exits.
    double minimum_saving = 0;
    /// Accuracy, or R2, before the body was trained with its heads: what the main output lost
    /// since counts as lost. Empty: the body is as it was.
    std::optional<double> before;
};

/// Weighs all exits together where there may be as many; of more than `most` adds the one that
/// saves most to those that are chosen, until nothing more is saved. Then drops, the least useful
/// first, those that save too little beside the others. Throws: PluginError{UNSUPPORTED} for an
/// exit whose criterion is unknown here.
[[nodiscard]] ChosenExits choose_exits(const Model& model,
                                       Context& context,
                                       const ExitBounds& bounds);

}  // namespace topress::early_exit
