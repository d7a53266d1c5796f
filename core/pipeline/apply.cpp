// One call of a technique between two looks at the global state.
#include "pipeline/apply.hpp"

#include "base/log.hpp"
#include "pipeline/global_state.hpp"

#include <c10/core/GradMode.h>

#include <chrono>
#include <exception>

namespace topress::pipeline {
namespace {

/// Sets global settings back, also when the technique throws: then they are worth a line in the log
/// only.
class GlobalStateGuard {
  public:
    GlobalStateGuard(std::string label, Diagnostics& found)
        : label_(std::move(label)), found_(found), wanted_(read_global_state()) {}

    ~GlobalStateGuard() {
        Diagnostics moved = restore_global_state(wanted_, label_);
        if (std::uncaught_exceptions() > 0) {
            for (const Diagnostic& diagnostic : moved) {
                log::debug(diagnostic.message);
            }
            return;
        }
        found_ = std::move(moved);
    }

    GlobalStateGuard(const GlobalStateGuard&) = delete;
    GlobalStateGuard& operator=(const GlobalStateGuard&) = delete;

  private:
    std::string label_;
    Diagnostics& found_;
    GlobalState wanted_;
};

}  // namespace

StageOutcome apply_technique(plugin::TechniqueObject& technique,
                             const network::Network& input,
                             const network::Network& original,
                             plugin::StageServices& services) {
    const auto start = std::chrono::steady_clock::now();
    StageOutcome outcome;
    outcome.network = input;  // run_stage() works on a copy of its own
    {
        const c10::AutoGradMode recording(true);  // a stage that leaves it off is seen
        const GlobalStateGuard guard(services.label, outcome.leaks);
        const StageRandomness randomness(services.seed, services.label, services.trainer->device());
        plugin::run_stage(technique, outcome.network, original, services);
    }
    outcome.row.stage = services.label;
    outcome.row.technique = technique.technique_id();
    outcome.row.metrics = std::move(services.metrics);
    outcome.row.curves = std::move(services.curves);
    outcome.row.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return outcome;
}

}  // namespace topress::pipeline
