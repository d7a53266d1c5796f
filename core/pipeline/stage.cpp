// Techniques at work.
#include "pipeline/stage.hpp"

#include "base/files.hpp"
#include "base/hash.hpp"
#include "pipeline/apply.hpp"
#include "pipeline/checks.hpp"
#include "pipeline/isolated.hpp"
#include "plugin/host_library.hpp"
#include "plugin/host_stage.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace topress::pipeline {
namespace {

using Libraries = std::map<std::filesystem::path, plugin::Library>;

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

void check(RunContext& run,
           const PlannedStage& stage,
           const Snapshot& before,
           const StageOutcome& outcome) {
    const auto& metrics = outcome.row.metrics;
    const bool may_be_idle = std::ranges::any_of(metrics, [](const auto& metric) {
        return metric.first == kNothingToDo && metric.second != 0;
    });
    const CheckedStage checked{stage.label,
                               stage.technique.id,
                               plugin::resource_use(stage.technique, stage.parameters).writes,
                               may_be_idle};
    Diagnostics found = check_stage(checked, before, outcome.network);
    found.insert(found.end(), outcome.leaks.begin(), outcome.leaks.end());
    if (has_errors(found)) {
        throw DiagnosticError(found);
    }
    run.ledger.diagnostics.insert(run.ledger.diagnostics.end(), found.begin(), found.end());
}

/// In this process.
StageOutcome apply_here(RunContext& run, std::size_t index, plugin::TechniqueObject& technique) {
    plugin::StageServices services = make_services(run, index + 1, run.plan.stages[index].label);
    return apply_technique(technique, run.current, run.baseline, services);
}

plugin::TechniqueObject load_technique(const PlannedStage& stage, Libraries& libraries) {
    auto library = libraries.find(stage.plugin.path);
    if (library == libraries.end()) {
        library = libraries.emplace(stage.plugin.path, plugin::load_plugin(stage.plugin)).first;
    }
    plugin::TechniqueObject technique(library->second, stage.technique.id);
    technique.configure(stage.parameters);
    return technique;
}

}  // namespace

std::vector<PreparedTechnique> prepare_techniques(RunContext& run) {
    std::vector<PreparedTechnique> techniques;
    Libraries libraries;
    for (std::size_t index = 0; index < run.plan.stages.size(); ++index) {
        const PlannedStage& stage = run.plan.stages[index];
        techniques.emplace_back();
        if (stage.isolation.is_process) {
            try_isolated(run, index);
        } else {
            techniques.back().emplace(load_technique(stage, libraries));
        }
    }
    return techniques;
}

void run_stage(RunContext& run, std::size_t index, PreparedTechnique& technique) {
    const PlannedStage& stage = run.plan.stages[index];
    run.announce(index + 1, stage.label, stage.technique.id);
    run.stop_if_cancelled();
    run.key = stage_key(run.key, stage);
    if (run.resume_stage(stage.label)) {
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    const Snapshot before = take_snapshot(run.current);
    StageOutcome outcome =
        technique ? apply_here(run, index, *technique) : apply_isolated(run, index);
    check(run, stage, before, outcome);
    outcome.row.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    run.finish_stage(std::move(outcome.network), std::move(outcome.row));
}

}  // namespace topress::pipeline
