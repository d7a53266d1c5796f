// topress report: the pages of runs and explorations, made anew; several runs are compared.
#include "base/files.hpp"
#include "cli/session.hpp"
#include "pipeline/exploration_report.hpp"
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
    std::string comparison;  ///< empty: comparison.html
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
    const std::filesystem::path file = std::filesystem::absolute(
        options.comparison.empty() ? "comparison.html" : options.comparison);
    write_file_atomically(file, pipeline::render_comparison(runs));
    return file;
}

/// Whether the directories hold explorations; runs and explorations do not mix. Throws
/// Error{report/cannot-compare}, and what reading the documents throws: all or nothing.
bool check_kind(const ReportOptions& options) {
    const std::string& first = options.directories.front();
    const bool explorations = pipeline::holds_exploration(first);
    for (const std::string& directory : options.directories) {
        if (pipeline::holds_exploration(directory) != explorations) {
            const std::string& run = explorations ? directory : first;
            const std::string& exploration = explorations ? first : directory;
            throw Error("report/cannot-compare",
                        "a run and an exploration have nothing to compare: '" + run +
                            "' is no exploration, '" + exploration + "' is one",
                        directory,
                        "give directories of runs only, or of explorations only");
        }
        static_cast<void>(explorations ? pipeline::read_exploration(directory)
                                       : pipeline::read_ledger(directory));
    }
    if (explorations && !options.comparison.empty()) {
        throw Error(
            "report/cannot-compare",
            "there is no page that compares explorations",
            first,
            "leave out --comparison; `topress plan --evidence` pools what several measured");
    }
    return explorations;
}

Outcome run_report(const ReportOptions& options) {
    const bool explorations = check_kind(options);
    Outcome outcome;
    outcome.document = pipeline::document_head("report", {});
    outcome.document["kind"] = explorations ? "exploration" : "run";
    Json reports = Json::array();
    for (const std::string& directory : options.directories) {
        const std::filesystem::path report = explorations
                                                 ? pipeline::rewrite_exploration_report(directory)
                                                 : pipeline::rewrite_report(directory);
        reports.push_back(report.string());
        outcome.text += report.string() + "\n";
    }
    outcome.document["report"] = reports.front();
    if (options.directories.size() > 1) {
        outcome.document["reports"] = std::move(reports);
    }
    if (options.directories.size() > 1 && !explorations) {
        const std::string comparison = write_comparison(options).string();
        outcome.document["comparison"] = comparison;
        outcome.text += comparison + "\n";
    }
    return outcome;
}

}  // namespace

void add_report_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* command =
        app.add_subcommand("report", "write report.html anew; compare several runs");
    command
        ->add_option("DIR", options->directories, "output directories of runs, or of explorations")
        ->required();
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
