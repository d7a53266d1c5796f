// Stages in a process of their own: `topress worker` is started, watched and waited for.
#pragma once

#include "pipeline/apply.hpp"
#include "pipeline/context.hpp"

#include <cstddef>

namespace topress::pipeline {

/// Loads and configures the technique of a stage in a worker, and lets it go again: a plugin that
/// cannot even do that costs no training. Throws: as apply_isolated().
void try_isolated(RunContext& run, std::size_t index);

/// Applies the technique of a stage in a worker; this process does not open the plugin.
/// Throws: DiagnosticError with what the worker reports, with the codes of the same failure in this
///         process; {run/worker-crashed, run/worker-exited, run/worker-timeout, run/worker-memory};
///         Error{run/worker-bad-result}, {run/interrupted}, {process/cannot-start}.
[[nodiscard]] StageOutcome apply_isolated(RunContext& run, std::size_t index);

}  // namespace topress::pipeline
