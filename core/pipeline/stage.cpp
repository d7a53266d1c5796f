// Techniques at work.
#include "pipeline/stage.hpp"

#include "base/files.hpp"
#include "base/hash.hpp"
#include "pipeline/checks.hpp"
#include "plugin/host_library.hpp"
#include "plugin/host_stage.hpp"

#include <chrono>
#include <map>

namespace topress::pipeline {
namespace {

/// Everything that the result of a stage depends on, besides its input.
std::string stage_key(const std::string& input_key, const PlannedStage& stage) {
    Hasher hasher;
    hasher.add(input_key).add(stage.label).add(stage.technique.id);
    for (const auto& [name, given] : stage.parameters) {
        hasher.add(name).add(config::to_toml(given.value));
    }
    hasher.add(read_file(stage.plugin.path));
    return hasher.hex();
}

plugin::StageServices make_services(RunContext& run, std::size_t number, const std::string& label) {
    plugin::StageServices services;
    services.trainer = run.trainer.get();
    services.label = label;
    services.seed = run.plan.config.seed;
    services.artefact_directory = run.output.stage_path(number, label);
    services.cancelled = run.options.cancelled;
    services.progress = [&run](const train::ProgressEvent& event) {
        if (run.options.observer.progress) {
            run.options.observer.progress(event);
        }
    };
    return services;
}

/// Sets global settings back even when the technique throws; what had moved is reported.
class GlobalStateGuard {
  public:
    GlobalStateGuard(std::string label, Diagnostics& found)
        : label_(std::move(label)), found_(found), wanted_(read_global_state()) {}

    ~GlobalStateGuard() {
        const Diagnostics moved = restore_global_state(wanted_, label_);
        found_.insert(found_.end(), moved.begin(), moved.end());
    }

    GlobalStateGuard(const GlobalStateGuard&) = delete;
    GlobalStateGuard& operator=(const GlobalStateGuard&) = delete;

  private:
    std::string label_;
    Diagnostics& found_;
    GlobalState wanted_;
};

void check(RunContext& run,
           const PlannedStage& stage,
           const Snapshot& before,
           const network::Network& after) {
    const CheckedStage checked{stage.label,
                               stage.technique.id,
                               plugin::resource_use(stage.technique, stage.parameters).writes};
    const Diagnostics found = check_stage(checked, before, after);
    if (has_errors(found)) {
        throw DiagnosticError(found);
    }
    run.ledger.diagnostics.insert(run.ledger.diagnostics.end(), found.begin(), found.end());
}

}  // namespace

std::vector<plugin::TechniqueObject> prepare_techniques(const Plan& plan) {
    std::vector<plugin::TechniqueObject> techniques;
    std::map<std::filesystem::path, plugin::Library> libraries;
    for (const PlannedStage& stage : plan.stages) {
        auto library = libraries.find(stage.plugin.path);
        if (library == libraries.end()) {
            library = libraries.emplace(stage.plugin.path, plugin::load_plugin(stage.plugin)).first;
        }
        techniques.emplace_back(library->second, stage.technique.id);
        techniques.back().configure(stage.parameters);
    }
    return techniques;
}

void run_stage(RunContext& run, std::size_t index, plugin::TechniqueObject& technique) {
    const PlannedStage& stage = run.plan.stages[index];
    run.announce(index + 1, stage.label, stage.technique.id);
    run.stop_if_cancelled();
    run.key = stage_key(run.key, stage);
    if (run.resume_stage(stage.label)) {
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    const Snapshot before = take_snapshot(run.current);
    network::Network network = run.current;  // run_stage() works on a copy of its own
    plugin::StageServices services = make_services(run, index + 1, stage.label);
    {
        const GlobalStateGuard guard(stage.label, run.ledger.diagnostics);
        plugin::run_stage(technique, network, run.baseline, services);
    }
    check(run, stage, before, network);
    Row row;
    row.stage = stage.label;
    row.technique = stage.technique.id;
    row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    row.metrics = std::move(services.metrics);
    row.curves = std::move(services.curves);
    run.finish_stage(std::move(network), std::move(row));
}

}  // namespace topress::pipeline
