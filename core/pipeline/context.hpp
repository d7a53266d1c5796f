// What all parts of a run share while it goes on.
#pragma once

#include "network/cost.hpp"
#include "network/graph.hpp"
#include "pipeline/output_dir.hpp"
#include "pipeline/run.hpp"
#include "train/trainer.hpp"

#include <map>
#include <memory>
#include <string>

namespace topress::pipeline {

/// State of a run. `current` is the network after the last finished stage; a stage that fails
/// leaves it, and the ledger, as they were.
struct RunContext {
    const Plan& plan;
    const RunOptions& options;
    OutputDir output;
    train::TrainingData data;
    std::unique_ptr<train::Trainer> trainer;
    network::Network baseline;
    network::Cost baseline_cost;
    network::Network current;
    std::string key;  ///< of everything that made `current`; names checkpoints
    std::map<std::string, std::string> metadata;  ///< saved with every network
    Ledger ledger;

    /// Throws Error{run/interrupted}.
    void stop_if_cancelled() const;
    void announce(std::size_t index, const std::string& label, const std::string& technique) const;
    /// Measures `network`, writes checkpoint, ledger and report, and makes it the current one.
    void finish_stage(network::Network network, Row row);
    /// Continues from a checkpoint made under the current key; false if there is none.
    [[nodiscard]] bool resume_stage(const std::string& label);

  private:
    void accept(network::Network network, Row row);
};

}  // namespace topress::pipeline
