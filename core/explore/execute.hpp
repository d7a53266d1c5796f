// Runs the orders of an exploration as processes of their own, those that share a beginning after
// the one that runs it.
#pragma once

#include "explore/result.hpp"
#include "explore/rounds.hpp"

#include <filesystem>
#include <functional>
#include <vector>

namespace topress::explore {

/// [round][order].
using Results = std::vector<std::vector<BranchResult>>;

/// Where an exploration stands.
struct Standing {
    std::size_t branches = 0;       ///< all of them
    std::size_t branches_done = 0;  ///< finished or failed
    std::size_t stages = 0;         ///< stage and finishing runs of the whole tree
    std::size_t stages_done = 0;
    double eta_seconds = 0;  ///< of what is left; NaN while nothing was timed
};

struct ExecuteOptions {
    std::filesystem::path output;
    std::function<bool()> cancelled;
    std::function<void(const Round&, const Sequence&)> started;  ///< a run begins; may be empty
    std::function<void(const Results&)> found;  ///< what was finished before; may be empty
    /// After each run, and once for all that were found finished.
    std::function<void(const Round*, const Sequence*, const BranchResult*, const Standing&)> moved;
    std::vector<std::string> only;  ///< names of branches; empty: all
};

/// "mild-s1/student-channel": the folder of a run below branches/, and its name.
[[nodiscard]] std::string branch_name(const Round& round, const Sequence& order);

/// Runs what is not finished yet. An order whose beginning failed in another run is not tried: it
/// failed too. Returns what there is when cancelled.
/// Throws: Error{file/cannot-write}, {process/cannot-start}.
[[nodiscard]] Results execute(const Experiment& experiment, const ExecuteOptions& options);

}  // namespace topress::explore
