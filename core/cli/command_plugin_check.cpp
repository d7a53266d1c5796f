// topress plugin check: the conformance suite on one plugin.
#include "base/files.hpp"
#include "cli/command_plugin.hpp"
#include "cli/interrupt.hpp"
#include "cli/session.hpp"
#include "conformance/render.hpp"
#include "conformance/run_checks.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>

namespace topress::cli {
namespace {

struct CheckInputs {
    conformance::RunOptions run;
    double timeout_s = 60;
    std::string junit;
    bool list = false;
};

Diagnostic summarise(const conformance::Report& report) {
    const std::size_t bad =
        report.count(conformance::Status::Fail) + report.count(conformance::Status::Crashed);
    Diagnostic diagnostic;
    diagnostic.code = "plugin/check-failed";
    diagnostic.message = std::to_string(bad) + " of " + std::to_string(report.results.size()) +
                         " checks failed or crashed: '" + report.file + "'";
    for (const conformance::Result& result : report.results) {
        const conformance::Status status = result.outcome.status;
        if (status == conformance::Status::Fail || status == conformance::Status::Crashed) {
            diagnostic.hint = "begin with: " + result.reproduce;
            break;
        }
    }
    return diagnostic;
}

Outcome list_checks() {
    Outcome outcome;
    outcome.document = pipeline::document_head("plugin check", {});
    conformance::add_list(outcome.document);
    outcome.text = conformance::list_text();
    return outcome;
}

Outcome check_plugin(CheckInputs& inputs, bool verbose) {
    if (inputs.list) {
        return list_checks();
    }
    if (inputs.run.file.empty()) {
        Diagnostic diagnostic;
        diagnostic.code = "usage/bad-arguments";
        diagnostic.message = "FILE is required";
        diagnostic.hint = "see `topress plugin check --help`";
        throw DiagnosticError({diagnostic});
    }
    if (!inputs.junit.empty()) {
        require_writable(inputs.junit);
    }
    watch_interrupts();
    inputs.run.timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(inputs.timeout_s * 1000));
    inputs.run.cancelled = is_interrupted;
    const conformance::Report report = conformance::run_checks(inputs.run);
    Outcome outcome;
    if (!report.is_good()) {
        outcome.diagnostics.push_back(summarise(report));
        outcome.status = ExitStatus::Plugin;
    }
    if (!inputs.junit.empty()) {
        write_file_atomically(inputs.junit, conformance::to_junit(report));
    }
    outcome.document = pipeline::document_head("plugin check", outcome.diagnostics);
    conformance::add_report(outcome.document, report);
    outcome.text = conformance::to_text(report, verbose);
    return outcome;
}

}  // namespace

void add_plugin_check_command(CLI::App& group, Session& session) {
    auto inputs = std::make_shared<CheckInputs>();
    CLI::App* check = group.add_subcommand("check", "test whether a plugin keeps its promises");
    check->add_option("FILE", inputs->run.file, "the plugin's library")->check(CLI::ExistingFile);
    check->add_option("--only", inputs->run.only, "only this check (repeatable)")
        ->type_name("ID")
        ->allow_extra_args(false);
    check->add_flag("--list", inputs->list, "show all checks and run none");
    check->add_option("--seed", inputs->run.seed, "of everything random (default 1)")
        ->type_name("N");
    check->add_option("--timeout", inputs->timeout_s, "for each check (default 60)")
        ->type_name("S")
        ->check(CLI::Range(0.1, 86400.0).description(""));
    check->add_option("--memory", inputs->run.memory_mb, "for each check (default 4096, 0 = any)")
        ->type_name("MIB");
    check->add_flag(
        "--in-process", inputs->run.in_process, "here, without child processes (debugger)");
    check->add_option("--junit", inputs->junit, "write the results as JUnit XML too")
        ->type_name("FILE");
    check->footer(
        "Examples:\n"
        "  topress plugin check build/scaling.so\n"
        "  topress plugin check build/scaling.so --only cancels --in-process\n"
        "\n"
        "Exit status: 0 nothing failed or crashed, 4 otherwise");
    check->callback([&session, inputs] {
        session.command = "plugin check";
        session.action = [&session, inputs] { return check_plugin(*inputs, session.verbose > 0); };
    });
}

}  // namespace topress::cli
