// Findings as JSON; accuracies are fractions.
#include "explore/document.hpp"

#include "pipeline/version.hpp"

#include <algorithm>
#include <set>

namespace topress::explore {
namespace {

using pipeline::Json;
using pipeline::number;

Json modes_json(const Modes& modes) {
    Json json = Json::array();
    if (modes.pairs) {
        json.push_back("pairs");
    }
    if (modes.insertions) {
        json.push_back("insertions");
    }
    if (modes.permutations) {
        json.push_back("permutations");
    }
    return json;
}

Json or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

void add_conditions(Json& json, const Experiment& experiment) {
    json["config_file"] = std::filesystem::path(experiment.plan.config.file).filename().string();
    json["config_text"] = pipeline::resolved_config(experiment.plan);
    json["version"] = pipeline::program_version();
    json["torch_version"] = pipeline::torch_version();
    json["device"] = experiment.plan.config.device;
    json["threads"] = experiment.threads;
    json["jobs"] = experiment.jobs;
    json["dataset"] = experiment.plan.config.data.dataset;
    json["network"] = network_text(experiment);
    json["budget"] = budget_text(experiment);
    json["techniques"] = Json::array();
    for (const std::string& label : experiment.labels) {
        json["techniques"].push_back(
            {{"label", label}, {"technique", technique_of(experiment, label)}});
    }
    json["finish"] = or_null(experiment.finish);
    std::set<std::uint64_t> seeds;
    Json settings = Json::array();
    for (const Round& round : experiment.rounds) {
        seeds.insert(round.seed);
        if (std::ranges::find(settings, Json(round.setting)) == settings.end()) {
            settings.push_back(round.setting);
        }
    }
    json["seeds"] = seeds;
    json["settings"] = std::move(settings);
}

Json baselines_json(const Experiment& experiment, const Results& results) {
    Json baselines = Json::array();
    for (std::size_t round = 0; round < results.size(); ++round) {
        for (const BranchResult& result : results[round]) {
            if (result.stages.empty()) {
                continue;
            }
            const StageFigures& baseline = result.stages.front();
            baselines.push_back({{"setting", experiment.rounds[round].setting},
                                 {"seed", experiment.rounds[round].seed},
                                 {"accuracy", number(baseline.accuracy)},
                                 {"macs", number(baseline.macs)},
                                 {"bitops", number(baseline.bitops)}});
            break;
        }
    }
    return baselines;
}

Json branch_json(const Round& round, const Sequence& order, const BranchResult& result) {
    Json json;
    json["setting"] = round.setting;
    json["seed"] = round.seed;
    json["order"] = order;
    json["state"] = to_string(result.state);
    const bool is_finished = result.state == BranchResult::State::Finished;
    const StageFigures figures = is_finished ? result.final() : StageFigures{};
    const auto value = [&](double figure) { return is_finished ? number(figure) : Json(nullptr); };
    json["accuracy"] = value(figures.accuracy);
    json["test_accuracy"] = nullptr;  // explorations never look at the test split
    json["macs"] = value(figures.macs);
    json["bitops"] = value(figures.bitops);
    json["bitops_cr"] = value(figures.bitops_cr);
    json["cr"] = value(figures.cr);
    json["stored_bytes"] = value(figures.stored_bytes);
    double seconds = 0;
    for (const StageFigures& stage : result.stages) {
        seconds += stage.seconds;
    }
    json["seconds"] = number(seconds);
    json["error"] = nullptr;
    if (result.state == BranchResult::State::Failed) {
        json["error"] = {{"code", result.error_code}, {"message", result.error}};
    }
    return json;
}

Json branches_json(const Experiment& experiment, const Results& results) {
    Json branches = Json::array();
    for (std::size_t round = 0; round < results.size(); ++round) {
        for (std::size_t order = 0; order < results[round].size(); ++order) {
            branches.push_back(branch_json(
                experiment.rounds[round], experiment.orders[order], results[round][order]));
        }
    }
    return branches;
}

void add_estimate(Json& json, const Estimate& estimate) {
    json["difference"] = number(estimate.mean);
    json["low"] = number(estimate.low);
    json["high"] = number(estimate.high);
}

Json pair_json(const Experiment& experiment, const PairResult& pair) {
    Json json;
    json["before"] = pair.first[0];
    json["after"] = pair.first[1];
    json["before_technique"] = technique_of(experiment, pair.first[0]);
    json["after_technique"] = technique_of(experiment, pair.first[1]);
    if (pair.differences.empty()) {
        json["difference"] = json["low"] = json["high"] = nullptr;
    } else {
        add_estimate(json, pair.estimate);
    }
    json["seeds"] = pair.differences.size();
    json["differences"] = pair.differences;
    json["decided"] = !pair.differences.empty() && pair.estimate.decided();
    json["executes"] = pair.cannot_execute.empty();
    json["error"] = or_null(pair.cannot_execute);
    return json;
}

Json tournament_json(const Experiment& experiment, const Findings& findings) {
    if (!findings.ranking) {
        return nullptr;
    }
    const auto labels = [&](const std::vector<std::size_t>& indices) {
        Sequence sequence;
        for (const std::size_t index : indices) {
            sequence.push_back(experiment.labels[index]);
        }
        return sequence;
    };
    Json json;
    json["order"] = labels(findings.ranking->order);
    json["cycle"] = labels(findings.ranking->cycle);
    json["violated"] = Json::array();
    for (const Match& match : findings.ranking->violated) {
        json["violated"].push_back({{"before", experiment.labels[match.before]},
                                    {"after", experiment.labels[match.after]},
                                    {"difference", number(match.difference)},
                                    {"decided", match.decided}});
    }
    const auto decided = std::ranges::count_if(findings.pairs, [](const PairResult& pair) {
        return !pair.differences.empty() && pair.estimate.decided();
    });
    json["decided"] = decided;
    json["undecided"] = static_cast<std::ptrdiff_t>(findings.pairs.size()) - decided;
    return json;
}

Json order_json(const OrderResult& order, std::size_t rank) {
    Json json;
    const bool executes = order.cannot_execute.empty();
    const auto value = [&](double figure) { return executes ? number(figure) : Json(nullptr); };
    json["order"] = order.order;
    json["score"] = value(order.score.mean);
    json["low"] = value(order.score.low);
    json["high"] = value(order.score.high);
    json["seeds"] = order.scores.size();
    json["scores"] = order.scores;
    json["rank"] = executes ? Json(rank) : Json(nullptr);
    json["bitops_cr"] = value(order.bitops_cr);
    json["accuracy"] = value(order.accuracy);
    json["difference_to_best"] = value(order.to_best.mean);
    json["difference_low"] = value(order.to_best.low);
    json["difference_high"] = value(order.to_best.high);
    json["executes"] = executes;
    json["error"] = or_null(order.cannot_execute);
    return json;
}

void add_findings(Json& json, const Experiment& experiment, const Findings& findings) {
    json["pairs"] = Json::array();
    for (const PairResult& pair : findings.pairs) {
        json["pairs"].push_back(pair_json(experiment, pair));
    }
    json["tournament"] = tournament_json(experiment, findings);
    json["orders"] = Json::array();
    for (const OrderResult& order : findings.orders) {
        json["orders"].push_back(order_json(order, json["orders"].size() + 1));
    }
    json["precedences"] = Json::array();
    for (const Precedence& precedence : findings.precedences) {
        Json row{{"before", precedence.before}, {"after", precedence.after}};
        add_estimate(row, precedence.difference);
        row["decided"] = precedence.difference.decided();
        json["precedences"].push_back(std::move(row));
    }
    json["insertions"] = Json::array();
    for (const Insertion& insertion : findings.insertions) {
        Json row{{"before", insertion.before},
                 {"between", insertion.between},
                 {"after", insertion.after},
                 {"pair_difference", number(insertion.pair.mean)}};
        add_estimate(row, insertion.compared.estimate);
        row["verdict"] = insertion.verdict;
        json["insertions"].push_back(std::move(row));
    }
    json["contradicted_rules"] = Json::array();
    for (const ContradictedRule& rule : contradicted_rules(experiment, findings)) {
        json["contradicted_rules"].push_back({{"before", rule.before},
                                              {"after", rule.after},
                                              {"declared_by", rule.declared_by},
                                              {"reason", rule.reason},
                                              {"difference", number(rule.difference)}});
    }
}

Json counts_json(const Counts& counts) {
    return {{"stage_runs", counts.stage_runs},
            {"finish_runs", counts.finish_runs},
            {"rounds", counts.rounds},
            {"planned", counts.planned},
            {"computed", counts.computed},
            {"from_cache", counts.planned - std::min(counts.planned, counts.computed)},
            {"failed", counts.failed}};
}

}  // namespace

Counts count(const Experiment& experiment, const Results& results) {
    Counts counts;
    counts.stage_runs = experiment.tree.stage_runs;
    counts.finish_runs = experiment.finish.empty() ? 0 : experiment.tree.finish_runs;
    counts.rounds = experiment.rounds.size();
    counts.planned = (counts.stage_runs + counts.finish_runs) * counts.rounds;
    for (const std::vector<BranchResult>& round : results) {
        for (const BranchResult& result : round) {
            for (std::size_t row = 1; row < result.stages.size(); ++row) {
                counts.computed += result.stages[row].computed ? 1U : 0U;
            }
            counts.failed += result.state == BranchResult::State::Failed ? 1U : 0U;
        }
    }
    return counts;
}

std::vector<ContradictedRule> contradicted_rules(const Experiment& experiment,
                                                 const Findings& findings) {
    std::vector<ContradictedRule> contradicted;
    for (const order::Edge& edge : experiment.plan.order.edges) {
        if (edge.where.origin != order::Origin::RuleSet) {
            continue;
        }
        for (const PairResult& pair : findings.pairs) {
            if (!pair.differences.empty() && pair.estimate.decided() &&
                pair.first == Sequence{edge.after, edge.before}) {
                contradicted.push_back({edge.before,
                                        edge.after,
                                        edge.where.declared_by,
                                        edge.reason,
                                        pair.estimate.mean});
            }
        }
    }
    return contradicted;
}

Json to_json(const Experiment& experiment,
             const Modes& modes,
             const Results& results,
             const Findings& findings,
             const Progress& progress) {
    Json json = pipeline::document_head("explore", progress.diagnostics);
    json["kind"] = "exploration";
    json["modes"] = modes_json(modes);
    json["state"] = progress.state;
    json["command_line"] = progress.command_line;
    add_conditions(json, experiment);
    json["baselines"] = baselines_json(experiment, results);
    json["counts"] = counts_json(count(experiment, results));
    json["seconds"] = number(progress.seconds);
    add_findings(json, experiment, findings);
    json["plan_order"] = experiment.labels;
    const auto found = winner(experiment, findings);
    json["agrees"] = found ? Json(*found == experiment.labels) : Json(nullptr);
    json["branches"] = branches_json(experiment, results);
    return json;
}

}  // namespace topress::explore
