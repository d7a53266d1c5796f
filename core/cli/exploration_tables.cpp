// Tables of an exploration: accuracies in percent, differences in percentage points.
#include "cli/exploration_tables.hpp"

#include "cli/table.hpp"

#include <cmath>

namespace topress::cli {
namespace {

using explore::Estimate;

/// "+0.42"; the sign is part of the result.
std::string points(double fraction) {
    std::string text = fraction >= 0 ? "+" : "";
    return text.append(fixed(100 * fraction, 2));
}

std::string interval(const Estimate& estimate) {
    if (!std::isfinite(estimate.low)) {
        return "one seed";
    }
    return points(estimate.low) + " to " + points(estimate.high);
}

std::string pairs_text(const explore::Exploration& exploration) {
    std::vector<std::vector<std::string>> lines;
    for (const explore::PairResult& pair : exploration.findings.pairs) {
        if (pair.differences.empty()) {
            lines.push_back({pair.first[0], pair.first[1], "-", "-", "cannot execute"});
            continue;
        }
        lines.push_back({pair.first[0],
                         pair.first[1],
                         points(pair.estimate.mean),
                         interval(pair.estimate),
                         pair.estimate.decided() ? "decided" : "undecided"});
    }
    return lines.empty()
               ? ""
               : render_table({"first", "then", "pp", "95 % interval", "verdict"}, lines, 2) + "\n";
}

std::string ranking_text(const explore::Exploration& exploration) {
    const auto order = explore::winner(exploration.experiment, exploration.findings);
    if (!order) {
        return "";
    }
    std::string text = "the pairs suggest: " + explore::text_of(*order) + "\n";
    text += *order == exploration.experiment.labels
                ? "the plan says the same\n"
                : "the plan says: " + explore::text_of(exploration.experiment.labels) + "\n";
    const explore::Ranking& ranking = *exploration.findings.ranking;
    const explore::Sequence& labels = exploration.experiment.labels;
    if (!ranking.cycle.empty()) {
        text += "the decided pairs contradict each other:";
        for (const std::size_t index : ranking.cycle) {
            text += " " + labels[index] + " before";
        }
        text += " " + labels[ranking.cycle.front()] + "\n";
    }
    for (const explore::Match& match : ranking.violated) {
        text += "goes against: " + labels[match.before] + " before " + labels[match.after] + " (" +
                points(match.difference) + " pp, " + (match.decided ? "decided" : "undecided") +
                ")\n";
    }
    return text + "\n";
}

std::string orders_text(const explore::Exploration& exploration) {
    std::vector<std::vector<std::string>> lines;
    for (const explore::OrderResult& order : exploration.findings.orders) {
        if (!order.cannot_execute.empty()) {
            lines.push_back({explore::text_of(order.order), "-", "-", "cannot execute", "-", "-"});
            continue;
        }
        lines.push_back({explore::text_of(order.order),
                         percent(order.score.mean),
                         points(order.to_best.mean),
                         lines.empty() ? "" : interval(order.to_best),
                         percent(order.accuracy),
                         fixed(order.bitops_cr, 1) + "x"});
    }
    return lines.empty() ? ""
                         : render_table({"order",
                                         "at equal BitOps",
                                         "to best",
                                         "95 % interval",
                                         "as it ended",
                                         "BitOpsCR"},
                                        lines) +
                               "\n";
}

std::string insertions_text(const explore::Exploration& exploration) {
    std::vector<std::vector<std::string>> lines;
    for (const explore::Insertion& insertion : exploration.findings.insertions) {
        const bool ran = !insertion.compared.differences.empty();
        lines.push_back({insertion.before + " before " + insertion.after,
                         insertion.between,
                         points(insertion.pair.mean),
                         ran ? points(insertion.compared.estimate.mean) : "-",
                         ran ? interval(insertion.compared.estimate) : "-",
                         insertion.verdict});
    }
    return lines.empty() ? ""
                         : render_table({"pair",
                                         "with between them",
                                         "pair alone",
                                         "with it",
                                         "95 % interval",
                                         "verdict"},
                                        lines,
                                        2) +
                               "\n";
}

std::string with_plural(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::string counts_text(const explore::Experiment& experiment) {
    const explore::Counts counts = explore::count(experiment, {});
    std::string text = with_plural(counts.stage_runs, "stage run");
    if (counts.finish_runs > 0) {
        text += " and " + with_plural(counts.finish_runs, "finishing run");
    }
    return text + " in " + (counts.rounds == 1 ? "" : "each of ") +
           with_plural(counts.rounds, "round") + ": " + std::to_string(counts.planned) + " in all";
}

std::string exploration_text(const explore::Exploration& exploration) {
    const explore::Counts counts = explore::count(exploration.experiment, exploration.results);
    return pairs_text(exploration) + ranking_text(exploration) + orders_text(exploration) +
           insertions_text(exploration) +
           "accuracies are measured on the validation split, in percentage points at equal "
           "BitOps\n" +
           counts_text(exploration.experiment) + "; " + std::to_string(counts.computed) +
           " computed now\n";
}

}  // namespace topress::cli
