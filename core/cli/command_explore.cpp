// topress explore: orders compared by experiment.
#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/exploration_tables.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "explore/explore.hpp"
#include "explore/slurm.hpp"

#include <CLI/CLI.hpp>

#include <cmath>
#include <filesystem>
#include <memory>

namespace topress::cli {
namespace {

namespace fs = std::filesystem;

struct ExploreCommandOptions {
    ConfigInputs inputs;
    explore::Modes modes;
    int seeds = 0;
    int jobs = 1;
    std::string output;
    std::string slurm;
    std::vector<std::string> branches;
    bool dry_run = false;
};

explore::Request request_of(const ExploreCommandOptions& options) {
    explore::Request request;
    request.config_file = options.inputs.config;
    request.overrides = options.inputs.overrides();
    request.plugin_paths = {options.inputs.plugin_paths.begin(), options.inputs.plugin_paths.end()};
    request.modes = options.modes;
    request.seeds = options.seeds;
    request.jobs = options.jobs;
    request.threads = std::max(0, options.inputs.threads);
    return request;
}

fs::path output_of(const ExploreCommandOptions& options, const config::RunConfig& config) {
    if (!options.output.empty()) {
        return fs::absolute(options.output);
    }
    return fs::absolute("runs") / (fs::path(config.file).stem().string() + "-explore");
}

std::string with_value(const std::string& flag, const std::string& value) {
    return flag + "=" + value;
}

/// The arguments that repeat this call from any folder, without those that choose single runs.
std::vector<std::string> arguments_of(const ExploreCommandOptions& options,
                                      const fs::path& output) {
    std::vector<std::string> arguments{fs::absolute(options.inputs.config).string()};
    if (options.modes.pairs) {
        arguments.emplace_back("--pairs");
    }
    if (options.modes.insertions) {
        arguments.emplace_back("--insertions");
    }
    if (options.modes.permutations) {
        arguments.emplace_back("--permutations");
    }
    if (options.seeds > 0) {
        arguments.push_back(with_value("--seeds", std::to_string(options.seeds)));
    }
    for (const std::string& setting : options.inputs.set) {
        arguments.push_back(with_value("--set", setting));
    }
    for (const std::string& path : options.inputs.plugin_paths) {
        arguments.push_back(with_value("--plugin-path", fs::absolute(path).string()));
    }
    if (!options.inputs.device.empty()) {
        arguments.push_back(with_value("--device", options.inputs.device));
    }
    arguments.push_back(with_value("--output", output.string()));
    return arguments;
}

/// As a person would type it; folders of this machine are left out of reports.
std::string command_line_of(const ExploreCommandOptions& options) {
    ExploreCommandOptions plain = options;
    std::string line = "topress explore";
    for (const std::string& argument : arguments_of(plain, "DIR")) {
        const bool is_config = argument == fs::absolute(options.inputs.config).string();
        line += " " + (is_config ? fs::path(options.inputs.config).filename().string() : argument);
    }
    return options.jobs > 1 ? line + " --jobs=" + std::to_string(options.jobs) : line;
}

std::string eta_text(const explore::Standing& standing) {
    return std::isfinite(standing.eta_seconds) && standing.branches_done < standing.branches
               ? ", " + duration_text(standing.eta_seconds) + " left"
               : "";
}

void tell(const explore::Round* round,
          const explore::Sequence* order,
          const explore::BranchResult* result,
          const explore::Standing& standing) {
    const std::string so_far = std::to_string(standing.stages_done) + "/" +
                               std::to_string(standing.stages) + " stage runs" + eta_text(standing);
    if (result == nullptr) {
        if (standing.branches_done > 0) {
            log::info(std::to_string(standing.branches_done) + " of " +
                      std::to_string(standing.branches) + " runs were finished before; " + so_far);
        }
        return;
    }
    const std::string name = explore::branch_name(*round, *order);
    if (result->state == explore::BranchResult::State::Failed) {
        log::write(log::Level::Warn, "failed: " + result->error + "; " + so_far, name);
        return;
    }
    log::write(log::Level::Info,
               "accuracy=" + percent(result->final().accuracy) +
                   " bitops_cr=" + fixed(result->final().bitops_cr, 1) + "; " + so_far,
               name);
}

Outcome describe_only(const explore::Experiment& experiment, const explore::Modes& modes) {
    Outcome outcome;
    outcome.document = explore::to_json(
        experiment,
        modes,
        explore::Results(experiment.rounds.size(),
                         std::vector<explore::BranchResult>(experiment.orders.size())),
        {},
        {"planned", "", 0, {}});
    outcome.text = counts_text(experiment) + "\n";
    return outcome;
}

Outcome emit_slurm(const ExploreCommandOptions& options, const explore::Experiment& experiment) {
    const fs::path output = output_of(options, experiment.plan.config);
    const fs::path folder = fs::absolute(options.slurm);
    explore::write_slurm(
        experiment, {own_program().string(), arguments_of(options, output)}, folder);
    Outcome outcome = describe_only(experiment, options.modes);
    outcome.document["slurm"] = folder.string();
    outcome.text += "submit with: " + (folder / "submit.sh").string() + "\n";
    return outcome;
}

Outcome outcome_of(const explore::Exploration& exploration,
                   const ExploreCommandOptions& options,
                   const fs::path& output) {
    Outcome outcome;
    outcome.document = explore::to_json(exploration, options.modes);
    outcome.text =
        exploration_text(exploration) + "report: " + (output / "report.html").string() + "\n";
    outcome.diagnostics = exploration.progress.diagnostics;
    if (exploration.progress.state == "interrupted") {
        Diagnostic diagnostic;
        diagnostic.code = "run/interrupted";
        diagnostic.message = "interrupted; what is finished is compared and on disk";
        diagnostic.hint = "the same command goes on where it stopped";
        outcome.diagnostics.push_back(diagnostic);
        outcome.status = ExitStatus::Interrupted;
    }
    return outcome;
}

Outcome only_branches(const explore::Exploration& exploration) {
    Outcome outcome;
    outcome.document = pipeline::document_head("explore", {});
    for (const auto& round : exploration.results) {
        for (const explore::BranchResult& result : round) {
            if (result.state == explore::BranchResult::State::Failed) {
                outcome.text += "failed: " + result.error + "\n";
            }
        }
    }
    return outcome;
}

void require_known(const explore::Experiment& experiment,
                   const std::vector<std::string>& branches) {
    for (const std::string& branch : branches) {
        bool is_known = false;
        for (const explore::Round& round : experiment.rounds) {
            for (const explore::Sequence& order : experiment.orders) {
                is_known = is_known || explore::branch_name(round, order) == branch;
            }
        }
        if (!is_known) {
            throw Error(
                "explore/unknown-branch",
                "this exploration has no run named '" + branch + "'",
                "--branch",
                "names are SETTING-sSEED/LABEL-LABEL; see branches/ in the output directory");
        }
    }
}

Outcome run_explore(const ExploreCommandOptions& options) {
    if (!options.modes.pairs && !options.modes.insertions && !options.modes.permutations) {
        throw Error("usage/missing-argument",
                    "nothing to compare was asked for",
                    "",
                    "say --pairs, --insertions or --permutations, or several of them");
    }
    explore::Experiment experiment = explore::prepare(request_of(options));
    if (!options.slurm.empty()) {
        return emit_slurm(options, experiment);
    }
    if (options.dry_run) {
        return describe_only(experiment, options.modes);
    }
    require_known(experiment, options.branches);
    explore::ExploreOptions execution;
    execution.output = output_of(options, experiment.plan.config);
    execution.command_line = command_line_of(options);
    execution.cancelled = is_interrupted;
    execution.moved = tell;
    execution.only = options.branches;
    log::info(counts_text(experiment) + ", " + std::to_string(experiment.jobs) +
              " at a time with " + std::to_string(experiment.threads) + " threads each");
    watch_interrupts();
    const explore::Exploration exploration =
        explore::explore(std::move(experiment), options.modes, execution);
    return options.branches.empty() ? outcome_of(exploration, options, execution.output)
                                    : only_branches(exploration);
}

void add_modes(CLI::App& command, ExploreCommandOptions& options) {
    command.add_flag("--pairs", options.modes.pairs, "both orders of every two techniques");
    command.add_flag(
        "--insertions", options.modes.insertions, "does a third technique turn a pair round?");
    command.add_flag("--permutations", options.modes.permutations, "all orders of all techniques");
}

}  // namespace

void add_explore_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<ExploreCommandOptions>();
    CLI::App* command =
        app.add_subcommand("explore", "measure which order of the techniques is best");
    command->add_option("CONFIG", options->inputs.config, "configuration file (TOML)")->required();
    add_modes(*command, *options);
    command
        ->add_option(
            "--seeds", options->seeds, "runs of every order (default: the configuration's)")
        ->type_name("N")
        ->check(CLI::Range(1, 1000).description(""));
    command->add_option("--jobs", options->jobs, "runs at the same time; they share the threads")
        ->type_name("N")
        ->check(CLI::Range(1, 256).description(""));
    command
        ->add_option(
            "--output", options->output, "output directory (default: runs/<config name>-explore)")
        ->type_name("DIR");
    command->add_flag("--dry-run", options->dry_run, "count the runs, run nothing");
    command->add_option("--emit-slurm", options->slurm, "write Slurm job arrays, run nothing")
        ->type_name("DIR");
    command->add_option("--branch", options->branches, "only this run (repeatable)")
        ->type_name("NAME")
        ->allow_extra_args(false);
    add_set_option(*command, options->inputs);
    add_device_options(*command, options->inputs);
    add_plugin_path_option(*command, options->inputs.plugin_paths);
    command->footer(
        "Example: topress explore configs/explore/small.toml --pairs --jobs 2\n"
        "Ctrl-C stops cleanly: the same command goes on where it stopped.");
    command->callback([&session, options] {
        session.command = "explore";
        session.action = [options] { return run_explore(*options); };
    });
}

}  // namespace topress::cli
