// An exploration, top to bottom: plan the runs, run them, compare, write down.
#pragma once

#include "explore/document.hpp"
#include "explore/execute.hpp"
#include "explore/rounds.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace topress::explore {

struct ExploreOptions {
    std::filesystem::path output;
    std::string command_line;  ///< for the report
    std::function<bool()> cancelled;
    std::function<void(const Round*, const Sequence*, const BranchResult*, const Standing&)> moved;
    /// Names of runs: only these are run, and nothing is compared or written besides. Empty: all.
    std::vector<std::string> only;
};

struct Exploration {
    Experiment experiment;  ///< with the order that the pairs suggest, where it was run too
    Results results;
    Findings findings;
    Progress progress;
    std::string evidence;  ///< TOML; empty if no pair was measured
};

/// Runs what is not finished in `output` and compares. With pairs alone, the order that they
/// suggest is run as well. Writes explore.json, evidence.toml, config.toml and report.html.
/// A run that fails is part of the result; `progress.state` is "interrupted" when cancelled.
/// Throws: Error{file/cannot-write}.
[[nodiscard]] Exploration explore(Experiment experiment,
                                  const Modes& modes,
                                  const ExploreOptions& options);

[[nodiscard]] pipeline::Json to_json(const Exploration& exploration, const Modes& modes);

}  // namespace topress::explore
