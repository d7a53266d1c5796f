// Configuration + installed techniques + rule sets -> plan, with every mistake found in one pass.
#pragma once

#include "config/run_config.hpp"
#include "pipeline/plan.hpp"
#include "plugin/catalog.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Resolves techniques, validates their parameters, derives the order. `known` are the diagnostics
/// of reading the configuration: with errors among them nothing is lowered, but the techniques are
/// checked. Throws: DiagnosticError with all errors of configuration and parameters (config/...,
/// plugin/...), or
///         with those of the order (order/...).
[[nodiscard]] Plan make_plan(const config::RunConfig& config,
                             const plugin::Catalog& catalog,
                             const Diagnostics& known = {});

/// From file to plan as every command does it: reads the configuration, finds the plugins, lowers.
/// Throws: DiagnosticError.
struct PlanInputs {
    std::filesystem::path config_file;
    std::vector<std::string> overrides;               ///< of --set
    std::vector<std::filesystem::path> plugin_paths;  ///< of --plugin-path
};

[[nodiscard]] Plan load_plan(const PlanInputs& inputs);

/// What the ordering needs to know about a technique.
[[nodiscard]] order::TechniqueInfo to_technique_info(const plugin::CatalogEntry& plugin,
                                                     const plugin::TechniqueMetadata& technique);

}  // namespace topress::pipeline
