// The plan of a run: its stages in order, each with the technique that does it, and why in this
// order.
#pragma once

#include "base/diagnostic.hpp"
#include "config/parameter.hpp"
#include "config/run_config.hpp"
#include "order/order.hpp"
#include "order/removal.hpp"
#include "pipeline/documents.hpp"
#include "plugin/catalog.hpp"

#include <optional>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Where a stage runs.
struct StageIsolation {
    bool is_process = false;  ///< in a worker; else in the process of the run
    double timeout_s = 0;     ///< 0 = no limit
    int memory_limit_mb = 0;  ///< MiB; 0 = no limit

    bool operator==(const StageIsolation&) const = default;
};

/// One stage: a technique under its label, with every parameter resolved.
struct PlannedStage {
    std::string label;
    plugin::CatalogEntry plugin;  ///< a copy: the plan needs no catalog
    plugin::TechniqueMetadata technique;
    config::Parameters parameters;  ///< validated, defaults filled in
    StageIsolation isolation = {};
};

/// What `topress plan` shows and `topress run` executes.
struct Plan {
    config::RunConfig config;
    order::Order order;
    std::vector<PlannedStage> stages;  ///< in the derived order
    /// What the order would be without each of the techniques; none: there are too many.
    std::optional<std::vector<order::Removal>> removals;
    Diagnostics diagnostics;  ///< warnings and information
};

/// The document of `topress plan`, the same as plan.json.
[[nodiscard]] Json to_json(const Plan& plan);

/// The configuration with every default filled in, those of the techniques included, as TOML.
[[nodiscard]] std::string resolved_config(const Plan& plan);

}  // namespace topress::pipeline
