// What the events of a run add up to: where it stands.
#pragma once

#include "pipeline/documents.hpp"
#include "pipeline/ledger.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::pipeline {

/// One stage as the events tell it, the baseline first.
struct StoryStage {
    std::string label;
    std::string technique;   ///< empty for the baseline
    double started = 0;      ///< seconds since 1970; 0 = not yet
    std::optional<Row> row;  ///< when finished
};

/// The state of a run. `state`: "running", "finished", "failed", "interrupted", or "gone" when the
/// process ended without a word.
struct RunStory {
    std::string state = "running";
    std::string config;
    double started = 0;     ///< seconds since 1970
    double last_event = 0;  ///< the same
    std::vector<StoryStage> stages;
    std::optional<std::size_t> at_work;            ///< index into `stages`
    std::optional<train::ProgressEvent> progress;  ///< of the stage at work
    Diagnostics diagnostics;
};

/// Reads events.jsonl of a run piece by piece.
class StoryReader {
  public:
    /// Throws Error{watch/no-events} when the directory has none.
    explicit StoryReader(const std::filesystem::path& directory);

    /// Takes in the lines that were added since; a line cut off in the middle waits for its rest,
    /// one that is none of ours is passed over. True if there was anything new.
    bool update();

    [[nodiscard]] const RunStory& story() const { return story_; }

  private:
    void take(const Json& event);
    void start_over(const Json& event);
    void look_for_process();

    std::filesystem::path path_;
    std::uintmax_t read_bytes_ = 0;
    std::int64_t process_ = 0;
    std::uint64_t process_start_ = 0;
    bool is_here_ = false;  ///< the run's process is one of this system
    RunStory story_;
};

/// The document of `topress watch --json`.
[[nodiscard]] Json to_json(const RunStory& story);

}  // namespace topress::pipeline
