// topress run: the whole pipeline, with progress; the ledger as its result.
#include "base/log.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/ledger_table.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "pipeline/lower.hpp"
#include "pipeline/run.hpp"

#include <CLI/CLI.hpp>

#include <cmath>
#include <filesystem>

namespace topress::cli {
namespace {

struct RunCommandOptions {
    ConfigInputs inputs;
    std::string output;
    bool resume = false;
    bool no_cache = false;
    bool brief = false;
    bool profile = false;
};

std::filesystem::path output_of(const RunCommandOptions& options, const config::RunConfig& config) {
    if (!options.output.empty()) {
        return std::filesystem::absolute(options.output);
    }
    if (!config.output.empty()) {
        return config.output;
    }
    return std::filesystem::absolute("runs") / std::filesystem::path(config.file).stem();
}

/// "3 stages computed, 2 from the cache".
std::string counts_text(const std::vector<pipeline::Row>& rows) {
    const pipeline::StageCounts counts = pipeline::count_stages(rows);
    std::string text = std::to_string(counts.computed) +
                       (counts.computed == 1 ? " stage" : " stages") + " computed, " +
                       std::to_string(counts.from_cache) + " from the cache";
    if (counts.resumed > 0) {
        text += ", " + std::to_string(counts.resumed) + " from checkpoints of this run";
    }
    return text + "\n";
}

std::string score_text(const pipeline::Row& row) {
    return row.error ? "error=" + error_text(*row.error) + " r2=" + fixed(row.accuracy, 4)
                     : "accuracy=" + percent(row.accuracy);
}

/// One line of the story per finished stage.
void tell_row(const pipeline::Row& row) {
    log::write(log::Level::Info,
               score_text(row) + " macs=" + with_unit(row.macs) +
                   " bitops_cr=" + fixed(row.bitops_cr, 2) + " cr=" + fixed(row.cr, 2) +
                   " seconds=" + fixed(row.seconds, 1),
               row.stage);
}

pipeline::RunObserver make_observer(ProgressView& progress) {
    pipeline::RunObserver observer;
    observer.stage_started = [&progress](const pipeline::StageStart& stage) {
        progress.set_scope(stage.label);
        log::write(log::Level::Info,
                   "stage " + std::to_string(stage.index) + "/" + std::to_string(stage.count) +
                       (stage.technique.empty() ? "" : " " + stage.technique),
                   stage.label);
    };
    observer.progress = [&progress](const train::ProgressEvent& event) { progress.update(event); };
    observer.row_finished = [&progress](const pipeline::Row& row) {
        progress.clear();
        tell_row(row);
    };
    return observer;
}

Outcome run_run(const RunCommandOptions& options, const Session& session) {
    const pipeline::Plan plan = pipeline::load_plan(options.inputs.plan_inputs());
    ProgressView progress(session.terminal, !session.quiet);
    pipeline::RunOptions run_options;
    run_options.output = output_of(options, plan.config);
    run_options.resume = options.resume;
    run_options.use_cache = !options.no_cache;
    run_options.brief = options.brief;
    run_options.profile = options.profile;
    run_options.cancelled = is_interrupted;
    run_options.observer = make_observer(progress);
    watch_interrupts();
    const pipeline::Ledger ledger = pipeline::run(plan, run_options);
    progress.clear();
    Outcome outcome;
    outcome.document = pipeline::to_json(ledger);
    outcome.text =
        ledger_table(ledger.rows) + counts_text(ledger.rows) +
        (options.brief ? "results: " + run_options.output.string() + "\n"
                       : "report: " + (run_options.output / "report.html").string() + "\n");
    outcome.diagnostics = ledger.diagnostics;
    if (has_errors(ledger.diagnostics)) {
        outcome.status = DiagnosticError(ledger.diagnostics).status();
    }
    return outcome;
}

}  // namespace

void add_run_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<RunCommandOptions>();
    CLI::App* command = app.add_subcommand("run", "compress a network as a configuration says");
    command->add_option("CONFIG", options->inputs.config, "configuration file (TOML)")->required();
    command
        ->add_option("--output", options->output, "output directory (default: runs/<config name>)")
        ->type_name("DIR");
    command->add_flag(
        "--resume", options->resume, "continue from checkpoints of the same settings");
    command->add_flag("--no-cache", options->no_cache, "compute every stage and share none");
    command->add_flag("--brief", options->brief, "no latency, no test accuracy, no report page");
    command->add_flag(
        "--profile", options->profile, "write profile.json, tell where the time went");
    add_set_option(*command, options->inputs);
    add_device_options(*command, options->inputs);
    add_plugin_path_option(*command, options->inputs.plugin_paths);
    command->footer(
        "Example: topress run configs/demo.toml --set baseline.epochs=2\n"
        "Ctrl-C stops cleanly: finished stages stay on disk, --resume continues.");
    command->callback([&session, options] {
        session.command = "run";
        session.action = [&session, options] { return run_run(*options, session); };
    });
}

}  // namespace topress::cli
