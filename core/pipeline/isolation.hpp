// Which stages get a process of their own.
#pragma once

#include "config/run_config.hpp"
#include "pipeline/plan.hpp"
#include "plugin/catalog.hpp"

namespace topress::pipeline {

/// The configuration decides if it says so, or by a limit; else a technique whose metadata asks for
/// a process gets one, a plugin that comes with topress runs inside, and every other one gets a
/// process: that it calls itself "in-process" is not enough.
[[nodiscard]] StageIsolation choose_isolation(const config::IsolationConfig& asked,
                                              const plugin::CatalogEntry& plugin,
                                              const plugin::TechniqueMetadata& technique);

}  // namespace topress::pipeline
