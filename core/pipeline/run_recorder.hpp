// The story of a run on disk while it goes on: events.jsonl, and curves for TensorBoard.
#pragma once

#include "pipeline/documents.hpp"
#include "pipeline/ledger.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/run.hpp"
#include "pipeline/tensorboard.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::pipeline {

inline constexpr const char* kEventsFile = "events.jsonl";
inline constexpr const char* kTensorBoardFolder = "tensorboard";

/// Steps of a phase that is fitted in pieces, each of which counts from one again.
class StepCount {
  public:
    [[nodiscard]] std::int64_t next(const train::ProgressEvent& progress);

  private:
    std::string phase_;
    std::int64_t before_ = 0;
    std::int64_t last_ = 0;
};

/// Hears what an observer of the run hears and hands it on. Like every story it may end early: a
/// directory that cannot be written is logged once and costs the story, never the run.
/// docs/live-view.md lists the events.
class RunRecorder {
  public:
    /// Continues the story of an earlier run if `resume`, else starts anew.
    RunRecorder(const std::filesystem::path& directory, bool resume);
    ~RunRecorder();

    RunRecorder(const RunRecorder&) = delete;
    RunRecorder& operator=(const RunRecorder&) = delete;

    void started(const Plan& plan, bool resume);
    /// The same for whatever else goes through stages: an exploration through its runs. Of each
    /// stage label and technique count.
    void started(const std::string& config, const std::vector<StageStart>& stages, bool resume);
    void ended(const Ledger& ledger);

    /// An observer that records and then tells `listener`. Both must outlive it.
    [[nodiscard]] RunObserver observe(const RunObserver& listener);

  private:
    void stage_started(const StageStart& stage);
    void progress(const train::ProgressEvent& event);
    void row_finished(const Row& row);
    void write(Json event);

    std::filesystem::path path_;
    std::FILE* file_ = nullptr;
    TensorBoardWriter curves_;
    std::string label_;  ///< of the stage at work
    StepCount steps_;
    std::size_t rows_ = 0;
    std::chrono::steady_clock::time_point last_progress_;
};

/// Where process numbers mean the same: this start of the system, this PID namespace.
[[nodiscard]] std::string process_space();

/// When a process was started, in the system's ticks; 0 if there is none with that number. Together
/// with the number it names a process once and for all, as numbers are given again.
[[nodiscard]] std::uint64_t process_start(std::int64_t process);

}  // namespace topress::pipeline
