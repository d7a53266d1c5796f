// Which candidate edges hold: hard ones, then soft ones as long as they close no cycle.
#include "order/settle.hpp"

#include "order/cycle.hpp"
#include "order/disagreement.hpp"

#include <map>

namespace topress::order {

namespace {

/// The strongest used edge of every pair of nodes.
using Used = std::map<Arc, const Edge*>;

std::vector<Step> steps_along(const std::vector<NodeIndex>& path, const Used& used) {
    std::vector<Step> steps;
    for (std::size_t i = 1; i < path.size(); ++i) {
        const Edge& edge = *used.at({path[i - 1], path[i]});
        steps.insert(steps.end(), edge.steps.begin(), edge.steps.end());
    }
    return steps;
}

std::string in_one_line(const std::vector<Step>& steps) {
    std::string text;
    for (const Step& step : steps) {
        text += (text.empty() ? "" : ", ") + step.before + " before " + step.after + " (" +
                std::string(to_string(step.strength)) + ", " +
                std::string(to_string(step.where.origin)) + ")";
    }
    return text;
}

Diagnostic skipped(const Edge& edge, const std::vector<Step>& opposing) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    const std::string decides = deciding_set(edge, opposing);
    if (decides.empty()) {
        finding.code = "order/soft-edge-skipped";
        finding.message = "'" + edge.before + " before " + edge.after +
                          "' is set aside, it contradicts: " + edge.skipped_because;
    } else {
        finding.code = "order/rules-disagree";
        finding.message = "the rule sets '" + edge.where.declared_by + "' and '" + decides +
                          "' disagree about '" + edge.before + "' and '" + edge.after + "': '" +
                          decides + "' is named first and decides";
    }
    finding.location = to_location(edge.where);
    std::vector<Step> all = edge.steps;
    all.insert(all.end(), opposing.begin(), opposing.end());
    finding.notes = to_notes(all);
    finding.hint = edge.where.origin == Origin::UserConfig
                       ? "declare it as hard, or force the order, if you mean it"
                       : "nothing to do if this is what you want; otherwise add an [[order.edge]]";
    return finding;
}

}  // namespace

std::vector<Arc> used_arcs(const std::vector<Candidate>& candidates) {
    std::vector<Arc> arcs;
    for (const Candidate& candidate : candidates) {
        if (candidate.edge.used) {
            arcs.emplace_back(candidate.from, candidate.to);
        }
    }
    return arcs;
}

void settle(const Nodes& nodes, std::vector<Candidate>& candidates, Diagnostics& findings) {
    Reachability order(nodes.selected);
    Successors successors(nodes.selected);
    Used used;
    for (Candidate& candidate : candidates) {
        Edge& edge = candidate.edge;
        if (edge.strength == Strength::Hard || !order.reaches(candidate.to, candidate.from)) {
            order.add(candidate.from, candidate.to);
            successors.add(candidate.from, candidate.to);
            used.try_emplace({candidate.from, candidate.to}, &edge);
            continue;
        }
        const auto path = shortest_path(successors, candidate.to, candidate.from);
        const std::vector<Step> opposing = steps_along(path, used);
        edge.used = false;
        edge.skipped_because = in_one_line(opposing);
        if (!is_contradicted(candidates, candidate)) {  // else reported as such, once
            findings.push_back(skipped(edge, opposing));
        }
    }
}

}  // namespace topress::order
