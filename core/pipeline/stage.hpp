// One stage of a run: a technique applied, checked and recorded.
#pragma once

#include "pipeline/context.hpp"
#include "plugin/library.hpp"

#include <cstddef>
#include <vector>

namespace topress::pipeline {

/// Loads the plugins of a plan and configures every technique, before any time is spent on
/// training. Throws: Error{plugin/...}, DiagnosticError for a refused plugin.
[[nodiscard]] std::vector<plugin::TechniqueObject> prepare_techniques(const Plan& plan);

/// Runs stage number `index` (0-based, without the baseline) on a copy of the current network.
/// Throws: Error{plugin/..., run/interrupted, train/..., network/...}; DiagnosticError with every
/// broken
///         invariant (check/...). The run then is as it was before.
void run_stage(RunContext& run, std::size_t index, plugin::TechniqueObject& technique);

}  // namespace topress::pipeline
