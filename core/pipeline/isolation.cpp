// The choice, in the order of who may decide.
#include "pipeline/isolation.hpp"

namespace topress::pipeline {

StageIsolation choose_isolation(const config::IsolationConfig& asked,
                                const plugin::CatalogEntry& plugin,
                                const plugin::TechniqueMetadata& technique) {
    StageIsolation isolation{false, asked.timeout_s, asked.memory_limit_mb};
    if (!asked.mode.empty()) {
        isolation.is_process = asked.mode == "process";
    } else if (asked.timeout_s > 0 || asked.memory_limit_mb > 0) {
        isolation.is_process = true;
    } else {
        isolation.is_process = technique.isolation == "process" || !plugin.is_bundled();
    }
    return isolation;
}

}  // namespace topress::pipeline
