// The spine of an exploration.
#include "explore/explore.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "explore/evidence_file.hpp"
#include "explore/story.hpp"
#include "pipeline/exploration_report.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace topress::explore {
namespace {

namespace fs = std::filesystem;

/// What was computed before the winner was added keeps saying so.
void keep_earlier(const Results& earlier, Results& now) {
    for (std::size_t round = 0; round < earlier.size(); ++round) {
        for (std::size_t order = 0; order < earlier[round].size(); ++order) {
            if (earlier[round][order].state == BranchResult::State::Finished) {
                now[round][order] = earlier[round][order];
            }
        }
    }
}

/// Pairs alone suggest an order that nobody ran: it is run too, so that its figures are known.
void run_winner(Exploration& exploration, const ExecuteOptions& options) {
    const auto order = winner(exploration.experiment, exploration.findings);
    std::vector<Sequence>& orders = exploration.experiment.orders;
    if (!order || std::ranges::find(orders, *order) != orders.end()) {
        return;
    }
    orders.push_back(*order);
    exploration.experiment.tree = make_tree(orders);
    Results results = execute(exploration.experiment, options);
    keep_earlier(exploration.results, results);
    exploration.results = std::move(results);
    exploration.findings = compare(exploration.experiment, exploration.results);
}

/// What the caller hears, and what the story hears besides. All must outlive the result.
ExecuteOptions execution_of(const Experiment& experiment,
                            const ExploreOptions& options,
                            std::optional<Story>& story) {
    ExecuteOptions execution{
        options.output, options.cancelled, {}, {}, options.moved, options.only};
    if (!story) {
        return execution;
    }
    execution.started = [&story](const Round& round, const Sequence& order) {
        story->run_started(round, order);
    };
    execution.found = [&story, &experiment](const Results& found) {
        story->started(experiment, found);
    };
    execution.moved = [&story, &options](const Round* round,
                                         const Sequence* order,
                                         const BranchResult* result,
                                         const Standing& standing) {
        if (result != nullptr) {
            story->run_finished(*round, *order, *result);
        }
        if (options.moved) {
            options.moved(round, order, result, standing);
        }
    };
    return execution;
}

bool is_complete(const Results& results) {
    return std::ranges::all_of(results, [](const std::vector<BranchResult>& round) {
        return std::ranges::all_of(round, [](const BranchResult& result) {
            return result.state == BranchResult::State::Finished ||
                   result.state == BranchResult::State::Failed;
        });
    });
}

void report_contradicted_rules(Exploration& exploration) {
    for (const ContradictedRule& rule :
         contradicted_rules(exploration.experiment, exploration.findings)) {
        Diagnostic diagnostic;
        diagnostic.severity = Severity::Warning;
        diagnostic.code = "order/rule-contradicted";
        diagnostic.message = "the measurements contradict the rule '" + rule.before + " before " +
                             rule.after + "' of " + rule.declared_by;
        diagnostic.hint = "name evidence.toml under [order] evidence to let it decide";
        exploration.progress.diagnostics.push_back(std::move(diagnostic));
    }
}

void report_failures(Exploration& exploration) {
    const Counts counts = count(exploration.experiment, exploration.results);
    if (counts.failed == 0) {
        return;
    }
    Diagnostic diagnostic;
    diagnostic.severity = Severity::Warning;
    diagnostic.code = "explore/cannot-execute";
    diagnostic.message = std::to_string(counts.failed) + " of the runs could not be executed";
    for (std::size_t round = 0; round < exploration.results.size(); ++round) {
        for (std::size_t order = 0; order < exploration.results[round].size(); ++order) {
            const BranchResult& result = exploration.results[round][order];
            if (result.state == BranchResult::State::Failed && diagnostic.notes.size() < 8) {
                diagnostic.notes.push_back({branch_name(exploration.experiment.rounds[round],
                                                        exploration.experiment.orders[order]) +
                                                ": " + result.error + " [" + result.error_code +
                                                "]",
                                            {}});
            }
        }
    }
    diagnostic.hint = "they are recorded as such and compared with nothing";
    exploration.progress.diagnostics.push_back(std::move(diagnostic));
}

void write_down(const Exploration& exploration, const Modes& modes, const fs::path& output) {
    const pipeline::Json document = to_json(exploration, modes);
    write_file_atomically(output / "explore.json", pipeline::to_text(document));
    write_file_atomically(output / "report.html", pipeline::render_exploration(document));
    write_file_atomically(output / "config.toml",
                          pipeline::resolved_config(exploration.experiment.plan));
    if (!exploration.evidence.empty()) {
        write_file_atomically(output / "evidence.toml", exploration.evidence);
    }
}

}  // namespace

Exploration explore(Experiment experiment, const Modes& modes, const ExploreOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    create_output_folder(options.output / "branches");
    Exploration exploration;
    exploration.experiment = std::move(experiment);
    std::optional<Story> story;  // single runs for a cluster do not tell one
    if (options.only.empty()) {
        story.emplace(options.output);
    }
    const ExecuteOptions execution = execution_of(exploration.experiment, options, story);
    exploration.progress.command_line = options.command_line;
    exploration.results = execute(exploration.experiment, execution);
    if (!options.only.empty()) {
        return exploration;
    }
    exploration.findings = compare(exploration.experiment, exploration.results);
    if (modes.pairs && is_complete(exploration.results)) {
        run_winner(exploration, execution);
    }
    exploration.progress.state = is_complete(exploration.results) ? "finished" : "interrupted";
    exploration.progress.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    exploration.progress.diagnostics = exploration.experiment.plan.diagnostics;
    report_contradicted_rules(exploration);
    report_failures(exploration);
    exploration.evidence =
        evidence_toml(exploration.experiment, exploration.results, exploration.findings);
    write_down(exploration, modes, options.output);
    story->ended(exploration.progress.state, exploration.progress.diagnostics);
    return exploration;
}

pipeline::Json to_json(const Exploration& exploration, const Modes& modes) {
    return to_json(exploration.experiment,
                   modes,
                   exploration.results,
                   exploration.findings,
                   exploration.progress);
}

}  // namespace topress::explore
