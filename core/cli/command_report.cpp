// topress report: the page of a run, made anew from its ledger.
#include "cli/session.hpp"
#include "pipeline/report.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

Outcome run_report(const std::string& directory) {
    const std::string report = pipeline::rewrite_report(directory).string();
    Outcome outcome;
    outcome.document = pipeline::document_head("report", {});
    outcome.document["report"] = report;
    outcome.text = report + "\n";
    return outcome;
}

}  // namespace

void add_report_command(CLI::App& app, Session& session) {
    auto directory = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("report", "write report.html of a run anew");
    command->add_option("DIR", *directory, "output directory of a run")->required();
    command->footer("Example: topress report runs/demo");
    command->callback([&session, directory] {
        session.command = "report";
        session.action = [directory] { return run_report(*directory); };
    });
}

}  // namespace topress::cli
