// Hard edges that contradict each other: the shortest cycle, who asked for it, what to drop.
#include "order/cycle.hpp"

#include <algorithm>
#include <tuple>

namespace topress::order {

namespace {

/// All hard edges that lead from one node of a cycle to the next; dropping one link drops them all.
using Link = std::vector<const Edge*>;

/// Which declaration its owner parts with most easily: the user's own line first, then the softest.
int attachment(Origin origin) {
    switch (origin) {
        case Origin::UserConfig:
            return 0;
        case Origin::RuleSet:
            return 1;
        case Origin::Plugin:
            return 2;
        case Origin::Evidence:
        case Origin::EvidenceElsewhere:
            break;
    }
    return 3;
}

/// The step of an edge that is easiest to drop.
const Step& loosest(const Edge& edge) {
    return *std::min_element(
        edge.steps.begin(), edge.steps.end(), [](const Step& a, const Step& b) {
            return attachment(a.where.origin) < attachment(b.where.origin);
        });
}

std::pair<int, std::size_t> effort(const Link& link) {
    int hardest = 0;
    for (const Edge* edge : link) {
        hardest = std::max(hardest, attachment(loosest(*edge).where.origin));
    }
    return {hardest, link.size()};
}

std::string place_of(const Provenance& where) {
    if (where.file.empty()) {
        return describe(where);
    }
    std::string text = "at " + where.file;
    if (where.line > 0) {
        text.append(":").append(std::to_string(where.line));
    }
    return text;
}

const Link& easiest(const std::vector<Link>& cycle) {
    return *std::min_element(cycle.begin(), cycle.end(), [](const Link& a, const Link& b) {
        return effort(a) < effort(b);
    });
}

std::string hint_for(const Link& link) {
    std::string hint;
    for (const Edge* edge : link) {
        const Step& step = loosest(*edge);
        hint += (hint.empty() ? "drop the relation '" : " and '") + step.before + " before " +
                step.after + "' " + place_of(step.where);
    }
    return hint;
}

std::vector<Arc> hard_arcs(const std::vector<Candidate>& candidates) {
    std::vector<Arc> arcs;
    for (const Candidate& candidate : candidates) {
        if (candidate.edge.strength == Strength::Hard) {
            arcs.emplace_back(candidate.from, candidate.to);
        }
    }
    return arcs;
}

Link link_between(const std::vector<Candidate>& candidates, NodeIndex from, NodeIndex to) {
    Link link;
    for (const Candidate& candidate : candidates) {
        if (candidate.edge.strength == Strength::Hard && candidate.from == from &&
            candidate.to == to) {
            link.push_back(&candidate.edge);
        }
    }
    return link;
}

Diagnostic describe_cycle(const std::vector<Candidate>& candidates,
                          const std::vector<NodeIndex>& cycle) {
    std::vector<Link> links;
    std::vector<Step> steps;
    for (std::size_t i = 1; i < cycle.size(); ++i) {
        links.push_back(link_between(candidates, cycle[i - 1], cycle[i]));
        for (const Edge* edge : links.back()) {
            steps.insert(steps.end(), edge->steps.begin(), edge->steps.end());
        }
    }
    Diagnostic finding;
    finding.code = "order/cycle";
    finding.message =
        "no valid order, " + std::to_string(links.size()) + " techniques wait for each other";
    finding.notes = to_notes(steps);
    const Link& to_drop = easiest(links);
    finding.location = to_location(loosest(*to_drop.front()).where);
    finding.hint = hint_for(to_drop);
    return finding;
}

}  // namespace

std::vector<DiagnosticNote> to_notes(const std::vector<Step>& steps) {
    std::size_t before_width = 0;
    std::size_t after_width = 0;
    for (const Step& step : steps) {
        before_width = std::max(before_width, step.before.size());
        after_width = std::max(after_width, step.after.size());
    }
    const auto padded = [](std::string text, std::size_t width) {
        text.resize(std::max(width, text.size()), ' ');
        return text;
    };
    std::vector<DiagnosticNote> notes;
    for (const Step& step : steps) {
        std::string text = padded(step.before, before_width) + " before " +
                           padded(step.after, after_width) + "   " + describe(step.where);
        if (!step.reason.empty()) {
            text += ": " + step.reason;
        }
        notes.push_back({std::move(text), {}});
    }
    return notes;
}

Diagnostics find_cycles(const Nodes& nodes, const std::vector<Candidate>& candidates) {
    const std::vector<Arc> arcs = hard_arcs(candidates);
    Diagnostics findings;
    for (const auto& knot : knots(nodes.selected, arcs)) {
        findings.push_back(describe_cycle(candidates, shortest_cycle(nodes.selected, arcs, knot)));
    }
    return findings;
}

}  // namespace topress::order
