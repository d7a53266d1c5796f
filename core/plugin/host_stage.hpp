// One stage: a technique of a plugin run on a network, with the services it may ask the host for.
#pragma once

#include "network/graph.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace topress::plugin {

class TechniqueObject;

/// What a running stage may use, and what it leaves behind (`metrics`, `curves`).
/// Requires: `trainer` is set. `artefact_directory` is created when the technique asks for it.
struct StageServices {
    train::Trainer* trainer = nullptr;
    std::string label;       ///< of the instance in the configuration; names the stage in the log
    std::uint64_t seed = 0;  ///< of the run; the stage's own stream comes from it and the label
    std::filesystem::path artefact_directory;
    /// Both may be empty. Those that are set are also given to the trainer, and taken from it at
    /// the end.
    std::function<bool()> cancelled;
    std::function<void(const train::ProgressEvent&)> progress;
    std::vector<std::pair<std::string, double>> metrics;  ///< in the order of their first report
    std::vector<train::EpochRecord> curves;               ///< of every fit, one after the other
};

/// Applies `technique` to `model`. The technique works on a copy, and on a copy of `original`: when
/// it fails, both are as before. Both copies live on the trainer's device, and so does the result,
/// which holds built-in operators only.
/// Throws: Error{plugin/apply-failed}, {run/interrupted}, {check/not-lowered},
/// {check/lowering-differs}.
void run_stage(TechniqueObject& technique,
               network::Network& model,
               const network::Network& original,
               StageServices& services);

}  // namespace topress::plugin
