// The program: command line -> command -> one result on standard output, one exit status.
#include "base/allocation.hpp"
#include "base/log.hpp"
#include "cli/openmp.hpp"
#include "cli/session.hpp"
#include "cli/usage.hpp"
#include "pipeline/version.hpp"
#include "plugin/host_library.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace topress::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  topress plan configs/demo.toml       which technique first, and why\n"
    "  topress run configs/demo.toml        compress, and write ledger and report\n"
    "\n"
    "Exit status:\n"
    "  0 done            1 run failed    2 usage       3 configuration   4 plugin\n"
    "  5 no valid order  6 device        70 internal   130 interrupted\n"
    "\n"
    "Environment: TOPRESS_PLUGIN_PATH, TOPRESS_DATA_DIR, TOPRESS_STAGE_CACHE,\n"
    "             NO_COLOR";

std::string version_text() {
    return "topress " + pipeline::program_version() + " (LibTorch " + pipeline::torch_version() +
           ", plugin ABI " + pipeline::abi_version() + ")";
}

void add_common_options(CLI::App& app, Session& session) {
    app.set_version_flag("--version", version_text);
    app.add_flag("--json", session.json, "print one JSON document on standard output");
    app.add_flag("-q,--quiet", session.quiet, "only warnings and errors on standard error");
    app.add_flag("-v,--verbose", session.verbose, "tell decisions and their reasons too");
    app.add_option("--log-level", session.log_level, "trace, debug, info, warn, error or off")
        ->type_name("LEVEL");
    app.add_flag("--no-color", session.no_color, "no colour on standard error");
}

void build_app(CLI::App& app, Session& session) {
    app.fallthrough();
    app.require_subcommand(0, 1);
    app.footer(kExamples);
    add_common_options(app, session);
    add_run_command(app, session);
    add_plan_command(app, session);
    add_explore_command(app, session);
    add_cost_command(app, session);
    add_inspect_command(app, session);
    add_eval_command(app, session);
    add_report_command(app, session);
    add_plugin_command(app, session);
    add_watch_command(app, session);
    add_cache_command(app, session);
    add_worker_command(app, session);
    add_probe_command(app, session);
}

log::Level console_level(const Session& session) {
    if (!session.log_level.empty()) {
        return log::parse_level(session.log_level);
    }
    if (session.quiet) {
        return log::Level::Warn;
    }
    return session.verbose > 1   ? log::Level::Trace
           : session.verbose > 0 ? log::Level::Debug
                                 : log::Level::Info;
}

Outcome failed(const Session& session, const Diagnostics& diagnostics, ExitStatus status) {
    Outcome outcome;
    outcome.document = pipeline::document_head(session.command, diagnostics);
    outcome.diagnostics = diagnostics;
    outcome.status = status;
    return outcome;
}

Outcome internal_error(const Session& session, const std::string& what) {
    Diagnostic diagnostic;
    diagnostic.code = "internal/exception";
    diagnostic.message = "internal error: " + what;
    diagnostic.hint = "this is a bug of topress: please report it with the command that you ran";
    return failed(session, {diagnostic}, ExitStatus::Internal);
}

Outcome no_command(const Session& session) {
    Diagnostic diagnostic;
    diagnostic.code = "usage/no-command";
    diagnostic.message = "no command was given";
    diagnostic.hint = "see `topress --help`";
    return failed(session, {diagnostic}, ExitStatus::Usage);
}

/// Runs the command; every exception becomes diagnostics and an exit status.
Outcome run_action(Session& session) {
    try {
        session.terminal = find_terminal(session.no_color);
        log::set_console(console_level(session), session.terminal.colour);
        plugin::set_probe_settings(plugin::standard_probe_settings());
        return session.action ? session.action() : no_command(session);
    } catch (const DiagnosticError& error) {
        return failed(session, error.diagnostics(), error.status());
    } catch (const Error& error) {
        return failed(session, {to_diagnostic(error)}, exit_status_of(error.code()));
    } catch (const std::exception& error) {
        return internal_error(session, error.what());
    }
}

/// Information is only shown to those who ask for more.
bool is_shown(const Session& session, const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::Error ||
           (diagnostic.severity == Severity::Warning && !session.quiet) || session.verbose > 0;
}

int print(const Session& session, const Outcome& outcome) {
    for (const Diagnostic& diagnostic : outcome.diagnostics) {
        if (is_shown(session, diagnostic)) {
            std::fputs(render(diagnostic, session.terminal.colour).c_str(), stderr);
        }
    }
    const std::string result = session.json ? pipeline::to_text(outcome.document) : outcome.text;
    std::fputs(result.c_str(), stdout);
    std::fflush(stdout);
    return static_cast<int>(outcome.status);
}

int refuse(CLI::App& app,
           Session& session,
           const std::vector<std::string>& arguments,
           const CLI::ParseError& error) {
    session.json = std::ranges::find(arguments, "--json") != arguments.end();
    session.command = command_name(app, arguments);
    session.terminal = find_terminal(session.no_color);
    const Diagnostic diagnostic = explain_usage(app, arguments, error);
    return print(session, failed(session, {diagnostic}, ExitStatus::Usage));
}

int run_program(int count, char** arguments) {
    Session session;
    session.command = "topress";
    CLI::App app("Compresses convolutional networks in the right order.", "topress");
    build_app(app, session);
    try {
        app.parse(count, arguments);
    } catch (const CLI::Success& success) {  // --help, --version
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        return refuse(app, session, {arguments + 1, arguments + count}, error);
    }
    return print(session, run_action(session));
}

}  // namespace
}  // namespace topress::cli

namespace {

/// Everything is written; what is left of a normal exit is LibTorch taking its operators out of its
/// tables one by one, a quarter of the time of a short command.
[[noreturn]] void leave(int status) {
    topress::log::flush();
    std::cout.flush();
    std::fflush(nullptr);
    std::_Exit(status);
}

}  // namespace

int main(int count, char** arguments) {
    topress::cli::let_waiting_threads_sleep(arguments);
    topress::keep_freed_memory();
    int status = static_cast<int>(topress::ExitStatus::Internal);
    try {
        status = topress::cli::run_program(count, arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error[internal/exception]: internal error: %s\n", error.what());
    }
    leave(status);
}
