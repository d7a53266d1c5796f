// The spine: plan -> baseline -> stages -> test -> report.
#pragma once

#include "pipeline/ledger.hpp"
#include "pipeline/plan.hpp"
#include "train/trainer.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

namespace topress::pipeline {

/// A stage that begins; the baseline is number 0.
struct StageStart {
    std::size_t index = 0;
    std::size_t count = 0;  ///< stages without the baseline
    std::string label;
    std::string technique;  ///< empty for the baseline
};

/// What a caller wants to hear while a run goes on. All may be empty.
struct RunObserver {
    std::function<void(const StageStart&)> stage_started;
    train::Progress progress;
    std::function<void(const Row&)> row_finished;
};

struct RunOptions {
    std::filesystem::path output;
    bool resume = false;    ///< take over checkpoints that the same settings made
    bool use_cache = true;  ///< take over, and leave, finished stages in the stage cache
    /// One of many runs that are compared by accuracy and BitOps: no latency, no test split, no
    /// report page.
    bool brief = false;
    bool profile = false;        ///< writes profile.json and tells where the time went
    train::Cancelled cancelled;  ///< true when the user wants to stop; may be empty
    RunObserver observer;
};

/// Executes a plan. A failure or an interruption does not throw: the failing stage is rolled back
/// and named in `diagnostics` of the ledger, and everything before it is on disk.
/// Throws: Error{file/cannot-write} when the output directory cannot be used.
[[nodiscard]] Ledger run(const Plan& plan, const RunOptions& options);

}  // namespace topress::pipeline
