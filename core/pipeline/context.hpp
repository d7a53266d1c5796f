// What all parts of a run share while it goes on.
#pragma once

#include "network/cost.hpp"
#include "network/graph.hpp"
#include "pipeline/loss_watch.hpp"
#include "pipeline/output_dir.hpp"
#include "pipeline/run.hpp"
#include "pipeline/run_cache.hpp"
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
    std::string identity;  ///< run_identity(): what all stages share
    std::string key;       ///< of the stage at work: everything that its result depends on
    std::map<std::filesystem::path, std::string> plugin_hashes;  ///< of what was loaded
    std::unique_ptr<RunCache> cache;                             ///< null: not used
    std::map<std::string, std::string> metadata;                 ///< saved with every network
    Ledger ledger;
    LossWatch loss_watch;  ///< of the stage at work

    /// Throws Error{run/interrupted}.
    void stop_if_cancelled() const;
    void announce(std::size_t index, const std::string& label, const std::string& technique);
    /// Measures `network`, writes checkpoint, ledger and report, and makes it the current one.
    void finish_stage(network::Network network, Row row, Diagnostics findings = {});
    /// ledger.json and ledger.csv, and the report page unless the run is a brief one.
    void write_ledger() const;
    /// Goes on with what is finished under the current key: the checkpoint of a run that is
    /// resumed, or an entry of the stage cache. False if there is none; until the stage is finished
    /// nobody else then computes it. While another run does, this one waits for its result.
    /// `may_share`: the cache is asked at all. Throws: Error{run/interrupted}.
    [[nodiscard]] bool take_finished(const std::string& label, bool may_share = true);

  private:
    [[nodiscard]] bool resume_stage(const std::string& label);
    [[nodiscard]] bool take_cached(const std::string& label);
    void take_over(Checkpoint finished);
    void measure_latency_of(const network::Network& network, Row& row) const;
    void accept(Checkpoint finished);
};

}  // namespace topress::pipeline
