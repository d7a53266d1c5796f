// One stage of a run: a technique applied, checked and recorded.
#pragma once

#include "pipeline/context.hpp"
#include "plugin/library.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace topress::pipeline {

/// The technique of a stage that runs in this process; nothing for one that runs in a worker.
using PreparedTechnique = std::optional<plugin::TechniqueObject>;

/// Loads the plugins of a plan and configures every technique, in this process or for a trial in a
/// worker, before any time is spent on training. Throws: Error{plugin/..., run/...},
/// DiagnosticError for a refused plugin or a worker that failed.
[[nodiscard]] std::vector<PreparedTechnique> prepare_techniques(RunContext& run);

/// Runs stage number `index` (0-based, without the baseline) on a copy of the current network. Then
/// earlier techniques that re-tune what they made (`recalibrates`) are applied to the result, so
/// that thresholds fit the network they are used in (docs/decisions/0021).
/// Throws: Error{plugin/..., run/..., train/..., network/...}; DiagnosticError with every broken
///         invariant (check/...), or with the end of a worker (run/worker-...). The run then is as
///         it was before.
void run_stage(RunContext& run, std::size_t index, std::vector<PreparedTechnique>& techniques);

}  // namespace topress::pipeline
