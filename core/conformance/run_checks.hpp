// Runs the checks on one plugin, each in a process of its own, and sums up.
#pragma once

#include "base/child_process.hpp"
#include "base/diagnostic.hpp"
#include "conformance/check.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace topress::conformance {

/// What to run and how.
struct RunOptions {
    std::string file;               ///< as the user wrote it
    std::vector<std::string> only;  ///< ids; empty = all
    std::uint64_t seed = 1;
    std::chrono::milliseconds timeout{60000};  ///< of one check
    std::uint64_t memory_mb = 4096;            ///< MiB that one check may hold; 0 = no limit
    bool in_process = false;                   ///< without child processes, one after the other
    std::function<bool()> cancelled;           ///< may be empty
};

struct Result {
    const Check* check = nullptr;
    Outcome outcome;
    double seconds = 0;
    std::string reproduce;  ///< the command that runs this check alone
};

struct Report {
    std::string file;
    std::string plugin;   ///< id, empty when the metadata cannot be read
    std::string version;  ///< of the plugin
    std::uint64_t seed = 1;
    double seconds = 0;
    std::vector<Result> results;  ///< in the order of all_checks()

    [[nodiscard]] std::size_t count(Status status) const;

    /// Nothing failed or crashed.
    [[nodiscard]] bool is_good() const;
};

/// Throws DiagnosticError{usage/unknown-check} with the nearest id; Error{run/interrupted}.
/// Requires: this process has one thread, as its children are forks of it (not with `in_process`).
[[nodiscard]] Report run_checks(const RunOptions& options);

/// What the end of a check's process means; an answer counts only if the process also ended well.
/// Throws Error{run/interrupted} for one that was cancelled.
[[nodiscard]] Outcome judge(const ChildResult& child, const RunOptions& options);

/// Runs one check here. An exception of the host is a failure with its message.
[[nodiscard]] Outcome run_here(const Check& check, Subject& subject);

/// The outcome as one line that a parent finds in the output of a child, and back. Nothing when
/// there is none.
[[nodiscard]] std::string to_line(const Outcome& outcome);
[[nodiscard]] std::optional<Outcome> find_outcome(const std::string& output);

}  // namespace topress::conformance
