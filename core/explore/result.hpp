// What one run of an exploration came to.
#pragma once

#include "explore/branches.hpp"
#include "pipeline/documents.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::explore {

/// One row of its ledger.
struct StageFigures {
    std::string label;
    double accuracy = 0;  ///< fraction, validation split; R2 for regression
    double macs = 0;
    double bitops = 0;
    double bitops_cr = 1;
    double cr = 1;
    double stored_bytes = 0;
    double seconds = 0;
    bool computed = false;  ///< by this run, not taken over
};

struct BranchResult {
    enum class State { Pending, Running, Finished, Failed };

    State state = State::Pending;
    std::vector<StageFigures> stages;  ///< the baseline first
    std::string error_code;            ///< why it failed
    std::string error;

    [[nodiscard]] const StageFigures& final() const { return stages.back(); }
};

/// "finished".
[[nodiscard]] const char* to_string(BranchResult::State state);

/// Reads ledger.json of a run; state Failed if it says so, or if there is none.
[[nodiscard]] BranchResult read_result(const std::filesystem::path& directory);

/// True if the run in this directory finished under `key`.
[[nodiscard]] bool is_finished_under(const std::filesystem::path& directory,
                                     const std::string& key);

/// Remembers for a later exploration under which key it finished. Throws Error{file/cannot-write}.
void mark_finished(const std::filesystem::path& directory, const std::string& key);

}  // namespace topress::explore
