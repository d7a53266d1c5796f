// One fit of a network from its first to its last step, on what a trainer lends it.
#pragma once

#include "data/batches.hpp"
#include "network/graph.hpp"
#include "train/loss.hpp"
#include "train/trainer.hpp"

#include <functional>

namespace topress::train {

/// What a trainer lends to a fit; outlives it.
struct FitServices {
    const TrainingDefaults& defaults;
    TaskLoss loss;
    at::Device device;
    std::function<data::BatchReader(const data::Pass&)> make_reader;
    std::function<void()> throw_if_cancelled;
    const Progress& progress;
    const TrainingData& data;
    TeacherMemory& teacher_memory;
    const data::Samples& pictures;  ///< of the training set, where the trainer has them
    const MakeStepRecorder& make_recorder;
};

/// What Trainer::fit() does, with the network on the device. Throws: as that does.
FitReport run_fit(network::Network& network,
                  const FitOptions& options,
                  const FitServices& services);

}  // namespace topress::train
