// An exploration as Slurm job arrays, to be run on a cluster instead of here.
#pragma once

#include "explore/rounds.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::explore {

/// The runs as waves: each run stands in the wave after the one it waits for. Names of branches.
[[nodiscard]] std::vector<std::vector<std::string>> waves(const Experiment& experiment);

/// How a cluster calls this program.
struct SlurmCall {
    std::string program;                 ///< path of topress
    std::vector<std::string> arguments;  ///< of `explore`, with CONFIG, modes, seeds and --output
};

/// Writes wave-K.txt (one run a line), task.sbatch (one run, by SLURM_ARRAY_TASK_ID), merge.sbatch
/// and submit.sh (one array a wave, each after the one before, the merge step last). The stage
/// cache must be a folder that all nodes see. Throws Error{file/cannot-write}.
void write_slurm(const Experiment& experiment,
                 const SlurmCall& call,
                 const std::filesystem::path& folder);

}  // namespace topress::explore
