// `topress run --profile`: where the time of a run went.
#pragma once

#include "train/operator_profile.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Records from construction to finish(). Stages that run in a process of their own are one span.
class RunProfile {
  public:
    RunProfile();

    /// Writes `profile.json` (a Chrome trace) into the folder and the largest entries to the log.
    /// Throws Error{file/cannot-write}.
    void finish(const std::filesystem::path& folder);

  private:
    std::unique_ptr<train::OperatorProfile> operators_;
};

/// The largest entries by self time as lines of a table: name, kind, calls, seconds, share.
[[nodiscard]] std::vector<std::string> profile_table(std::size_t rows);

}  // namespace topress::pipeline
