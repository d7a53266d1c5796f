// Techniques at work.
#include "pipeline/stage.hpp"

#include "base/log.hpp"
#include "base/profile.hpp"
#include "pipeline/apply.hpp"
#include "pipeline/checks.hpp"
#include "pipeline/isolated.hpp"
#include "pipeline/operator_origins.hpp"
#include "pipeline/stage_key.hpp"
#include "plugin/host_library.hpp"
#include "plugin/host_stage.hpp"
#include "plugin/operator_offers.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace topress::pipeline {
namespace {

using Libraries = std::map<std::filesystem::path, plugin::Library>;

/// A result that nothing determines is one run's own.
constexpr const char* kNotDeterministic = "none";

bool writes(const PlannedStage& stage, const std::string& resource) {
    const auto declared = plugin::resource_use(stage.technique, stage.parameters).writes;
    return std::ranges::find(declared, resource) != declared.end();
}

/// Hash of the library as it was when it was opened; a worker opens it anew.
std::string plugin_hash(const RunContext& run, const PlannedStage& stage) {
    const auto opened = run.plugin_hashes.find(stage.plugin.path);
    return stage.isolation.is_process || opened == run.plugin_hashes.end()
               ? hash_of_file(stage.plugin.path)
               : opened->second;
}

/// Of the libraries that a worker for `own` opens, those that may serve an operator there.
std::vector<std::string> worker_libraries(const RunContext& run, const PlannedStage& own) {
    std::vector<std::string> hashes;
    const OperatorOrigins& origins = operator_origins();
    for (const PlannedStage& stage : run.plan.stages) {
        const std::string hash = plugin_hash(run, stage);
        const bool serves = hash == origins.quantize || hash == origins.exit_gate;
        const bool is_opened = !stage.isolation.is_process && serves;
        if ((is_opened || stage.label == own.label) &&
            std::ranges::find(hashes, hash) == hashes.end()) {
            hashes.push_back(hash);
        }
    }
    return hashes;
}

/// Earlier stages whose techniques re-tune what they made. One that runs in a worker does not: it
/// would have to be started once more after every stage.
std::vector<std::size_t> recalibrating(const Plan& plan, std::size_t index) {
    std::vector<std::size_t> earlier;
    for (std::size_t i = 0; i < index; ++i) {
        if (plan.stages[i].technique.recalibrates && !plan.stages[i].isolation.is_process) {
            earlier.push_back(i);
        }
    }
    return earlier;
}

StageFacts facts_of(const RunContext& run, const PlannedStage& stage) {
    StageFacts facts{stage, run.current, run.baseline, plugin_hash(run, stage), {}, {}, {}};
    const auto index = static_cast<std::size_t>(&stage - run.plan.stages.data());
    for (const std::size_t earlier : recalibrating(run.plan, index)) {
        const PlannedStage& again = run.plan.stages[earlier];
        facts.recalibrating.push_back({again, plugin_hash(run, again)});
    }
    if (stage.isolation.is_process) {
        facts.worker_libraries = worker_libraries(run, stage);
    } else {
        facts.operators = operator_origins();
    }
    return facts;
}

/// A stage that ran somebody else's implementation of an operator that nobody expected there has a
/// key that does not say so: its result is this run's own.
void keep_to_itself_if_surprising(RunContext& run,
                                  const PlannedStage& stage,
                                  const plugin::OperatorOffers& before) {
    const plugin::OperatorOffers now = plugin::operator_offers();
    const StageFacts facts = facts_of(run, stage);
    const ExpectedOperators expected = expected_operators(facts);
    const bool quantized = now.quantize_uses != before.quantize_uses && !expected.quantize &&
                           facts.operators.quantize != facts.plugin;
    const bool left = now.exit_gate_uses != before.exit_gate_uses && !expected.exit_gate &&
                      facts.operators.exit_gate != facts.plugin;
    if (run.cache && (quantized || left)) {
        log::write(log::Level::Debug,
                   "not cached: it used another plugin's operator without declaring to",
                   stage.label);
        run.cache->forgo();
    }
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

bool had_nothing_to_do(const Row& row) {
    return std::ranges::any_of(row.metrics, [](const auto& metric) {
        return metric.first == kNothingToDo && metric.second != 0;
    });
}

/// What is worth knowing although the technique's work may stand.
Diagnostics check(const PlannedStage& stage,
                  const Snapshot& before,
                  const StageOutcome& outcome,
                  bool may_be_idle) {
    const CheckedStage checked{stage.label,
                               stage.technique.id,
                               plugin::resource_use(stage.technique, stage.parameters).writes,
                               may_be_idle};
    Diagnostics found = check_stage(checked, before, outcome.network);
    found.insert(found.end(), outcome.leaks.begin(), outcome.leaks.end());
    if (has_errors(found)) {
        throw DiagnosticError(found);
    }
    return found;
}

/// In this process.
StageOutcome apply_here(RunContext& run, std::size_t index, plugin::TechniqueObject& technique) {
    const PlannedStage& stage = run.plan.stages[index];
    plugin::StageServices services = make_services(run, index + 1, stage.label);
    const plugin::OperatorOffers before = plugin::operator_offers();
    StageOutcome outcome = apply_technique(technique, run.current, run.baseline, services);
    keep_to_itself_if_surprising(run, stage, before);
    note_offers_of(plugin_hash(run, stage));
    return outcome;
}

/// Thresholds were chosen for the network as it was. Each technique answers for its own changes.
void recalibrate(RunContext& run,
                 std::size_t index,
                 std::vector<PreparedTechnique>& techniques,
                 StageOutcome& outcome) {
    for (const std::size_t earlier : recalibrating(run.plan, index)) {
        const PlannedStage& stage = run.plan.stages[earlier];
        if (outcome.network.exits().empty() && writes(stage, "exits")) {
            continue;  // it found none worth its cost: nothing to choose again
        }
        log::write(log::Level::Info, "chosen again after '" + outcome.row.stage + "'", stage.label);
        const Snapshot before = take_snapshot(outcome.network);
        plugin::StageServices services = make_services(run, earlier + 1, stage.label);
        StageOutcome again =
            apply_technique(*techniques[earlier], outcome.network, run.baseline, services);
        constexpr bool kMayBeIdle = true;  // the old thresholds may still be the best
        static_cast<void>(check(stage, before, again, kMayBeIdle));
        outcome.network = std::move(again.network);
        outcome.row.recalibrated.push_back(stage.label);
    }
}

plugin::TechniqueObject load_technique(RunContext& run,
                                       const PlannedStage& stage,
                                       Libraries& libraries) {
    auto library = libraries.find(stage.plugin.path);
    if (library == libraries.end()) {
        run.plugin_hashes[stage.plugin.path] = hash_of_file(stage.plugin.path);
        library = libraries.emplace(stage.plugin.path, plugin::load_plugin(stage.plugin)).first;
    }
    plugin::TechniqueObject technique(library->second, stage.technique.id);
    technique.configure(stage.parameters);
    note_offers_of(run.plugin_hashes[stage.plugin.path]);
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
            techniques.back().emplace(load_technique(run, stage, libraries));
        }
    }
    return techniques;
}

void run_stage(RunContext& run, std::size_t index, std::vector<PreparedTechnique>& techniques) {
    const PlannedStage& stage = run.plan.stages[index];
    const profile::Span span(stage.label, "stage");
    PreparedTechnique& technique = techniques[index];
    run.announce(index + 1, stage.label, stage.technique.id);
    run.stop_if_cancelled();
    run.key = stage_key(run.identity, facts_of(run, stage));
    if (run.take_finished(stage.label, stage.technique.determinism != kNotDeterministic)) {
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    const Snapshot before = take_snapshot(run.current);
    StageOutcome outcome =
        technique ? apply_here(run, index, *technique) : apply_isolated(run, index);
    Diagnostics findings = check(stage, before, outcome, had_nothing_to_do(outcome.row));
    recalibrate(run, index, techniques, outcome);
    outcome.row.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    run.finish_stage(std::move(outcome.network), std::move(outcome.row), std::move(findings));
}

}  // namespace topress::pipeline
