// topress report: the pages of runs, made anew from their ledgers; several are compared.
#include "base/files.hpp"
#include "cli/session.hpp"
#include "pipeline/report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

namespace topress::cli {
namespace {

struct ReportOptions {
    std::vector<std::string> directories;
    std::string comparison = "comparison.html";
};

/// The last part of a path is enough unless two runs share it.
std::string name_of(const std::string& directory, const std::vector<std::string>& all) {
    const auto last_part = [](const std::string& text) {
        const std::filesystem::path path = std::filesystem::absolute(text).lexically_normal();
        return (path.has_filename() ? path : path.parent_path()).filename().string();
    };
    const std::string name = last_part(directory);
    const auto same = std::count_if(
        all.begin(), all.end(), [&](const std::string& other) { return last_part(other) == name; });
    return same == 1 ? name : directory;
}

std::filesystem::path write_comparison(const ReportOptions& options) {
    std::vector<pipeline::NamedLedger> runs;
    for (const std::string& directory : options.directories) {
        runs.push_back({name_of(directory, options.directories), pipeline::read_ledger(directory)});
    }
    const std::filesystem::path file = std::filesystem::absolute(options.comparison);
    write_file_atomically(file, pipeline::render_comparison(runs));
    return file;
}

Outcome run_report(const ReportOptions& options) {
    for (const std::string& directory : options.directories) {
        static_cast<void>(pipeline::read_ledger(directory));  // all or nothing
    }
    Outcome outcome;
    outcome.document = pipeline::document_head("report", {});
    Json reports = Json::array();
    for (const std::string& directory : options.directories) {
        const std::string report = pipeline::rewrite_report(directory).string();
        reports.push_back(report);
        outcome.text += report + "\n";
    }
    outcome.document["report"] = reports.front();
    if (options.directories.size() > 1) {
        const std::string comparison = write_comparison(options).string();
        outcome.document["reports"] = std::move(reports);
        outcome.document["comparison"] = comparison;
        outcome.text += comparison + "\n";
    }
    return outcome;
}

}  // namespace

void add_report_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* command =
        app.add_subcommand("report", "write report.html of runs anew; compare several");
    command->add_option("DIR", options->directories, "output directories of runs")->required();
    command
        ->add_option("--comparison", options->comparison, "page of several runs (comparison.html)")
        ->type_name("FILE");
    command->footer("Example: topress report runs/demo runs/other");
    command->callback([&session, options] {
        session.command = "report";
        session.action = [options] { return run_report(*options); };
    });
}

}  // namespace topress::cli
