// The story of an exploration on disk while it goes on: its runs are the stages of `topress watch`.
#pragma once

#include "explore/execute.hpp"
#include "pipeline/run_recorder.hpp"

#include <filesystem>

namespace topress::explore {

/// Writes events.jsonl and curves for TensorBoard; what cannot be written costs the story only.
class Story {
  public:
    explicit Story(const std::filesystem::path& directory);

    /// Begins with all runs of the experiment, of which some are finished.
    void started(const Experiment& experiment, const Results& found);
    void run_started(const Round& round, const Sequence& order);
    void run_finished(const Round& round, const Sequence& order, const BranchResult& result);
    void ended(const std::string& state, const Diagnostics& diagnostics);

  private:
    pipeline::RunRecorder recorder_;
    pipeline::RunObserver nobody_;
    pipeline::RunObserver events_;
    std::vector<pipeline::StageStart> runs_;
    std::vector<pipeline::Row> rows_;
};

}  // namespace topress::explore
