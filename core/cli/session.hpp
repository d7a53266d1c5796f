// What every command shares: the options that all have, and what a command hands back to be
// printed.
#pragma once

#include "base/diagnostic.hpp"
#include "base/error.hpp"
#include "cli/terminal.hpp"
#include "pipeline/documents.hpp"

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace topress::cli {

using pipeline::Json;

/// The outcome of a command. Standard output gets `document` under --json, else `text`; standard
/// error gets the diagnostics.
struct Outcome {
    Json document;
    std::string text;
    Diagnostics diagnostics;
    ExitStatus status = ExitStatus::Done;
};

/// Options of all commands, and the command that was chosen.
struct Session {
    bool json = false;
    bool quiet = false;
    int verbose = 0;
    std::string log_level;
    bool no_color = false;
    Terminal terminal;
    std::string command;              ///< "plugin list"; "topress" before one is known
    std::function<Outcome()> action;  ///< empty if no command was given
};

/// Each adds one command; its callback sets `session.action`.
void add_run_command(CLI::App& app, Session& session);
void add_cache_command(CLI::App& app, Session& session);
void add_plan_command(CLI::App& app, Session& session);
void add_plugin_command(CLI::App& app, Session& session);
void add_probe_command(CLI::App& app, Session& session);
void add_cost_command(CLI::App& app, Session& session);
void add_explore_command(CLI::App& app, Session& session);
void add_inspect_command(CLI::App& app, Session& session);
void add_eval_command(CLI::App& app, Session& session);
void add_report_command(CLI::App& app, Session& session);
void add_watch_command(CLI::App& app, Session& session);
void add_worker_command(CLI::App& app, Session& session);

}  // namespace topress::cli
