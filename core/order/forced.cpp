// An order the user insists on: is it complete, and which edges does it break.
#include "order/forced.hpp"

#include "base/suggest.hpp"
#include "order/cycle.hpp"
#include "order/explain.hpp"

#include <algorithm>

namespace topress::order {

namespace {

Diagnostic incomplete(std::string message, std::string hint) {
    Diagnostic finding;
    finding.code = "order/forced-incomplete";
    finding.message = std::move(message);
    finding.hint = std::move(hint);
    return finding;
}

std::vector<std::string> sorted_labels(const std::vector<Instance>& selected) {
    std::vector<std::string> labels;
    for (const Instance& instance : selected) {
        labels.push_back(instance.label);
    }
    std::sort(labels.begin(), labels.end());
    return labels;
}

std::string hint_for_unknown(const std::vector<Instance>& selected,
                             const std::vector<std::string>& labels,
                             const std::string& name) {
    for (const Instance& instance : selected) {
        if (instance.technique == name) {
            return "use its label '" + instance.label + "'";
        }
    }
    const auto near = nearest(name, labels);
    return near ? "did you mean '" + *near + "'?" : "remove it, or select the technique";
}

std::vector<Step> steps_of(const std::vector<Edge>& edges) {
    std::vector<Step> steps;
    for (const Edge& edge : edges) {
        steps.push_back(
            {edge.before, edge.after, edge.strength, edge.where, edge.reason, edge.source});
    }
    return steps;
}

Diagnostic illegal(const std::vector<Edge>& broken) {
    Diagnostic finding;
    finding.code = "order/forced-illegal";
    finding.message = "the forced order breaks " + std::to_string(broken.size()) +
                      (broken.size() == 1 ? " relation" : " relations");
    finding.notes = to_notes(steps_of(broken));
    finding.hint = "change the order, or set 'override = true' under [order] to insist on it";
    return finding;
}

Diagnostic overridden_edge(const Edge& edge) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "order/overridden";
    finding.message = "the forced order puts '" + edge.after + "' before '" + edge.before +
                      "', against a " + std::string(to_string(edge.strength)) + " relation";
    finding.location = to_location(edge.where);
    finding.notes = to_notes(edge.steps);
    finding.hint = "remove 'override' to have the order checked again";
    return finding;
}

}  // namespace

Diagnostics check_forced(const std::vector<Instance>& selected,
                         const std::vector<std::string>& forced) {
    const std::vector<std::string> labels = sorted_labels(selected);
    Diagnostics findings;
    for (std::size_t i = 0; i < forced.size(); ++i) {
        if (!std::binary_search(labels.begin(), labels.end(), forced[i])) {
            findings.push_back(
                incomplete("the forced order names '" + forced[i] + "', which is no label",
                           hint_for_unknown(selected, labels, forced[i])));
        }
        const auto here = forced.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(forced.begin(), here, forced[i]) != here) {
            findings.push_back(incomplete("the forced order names '" + forced[i] + "' twice",
                                          "keep one of the two; every label has one position"));
        }
    }
    for (const std::string& label : labels) {
        if (std::find(forced.begin(), forced.end(), label) == forced.end()) {
            findings.push_back(
                incomplete("the forced order leaves out '" + label + "'", "name every label once"));
        }
    }
    return findings;
}

std::vector<Edge> broken_edges(const std::vector<Candidate>& candidates,
                               const std::vector<std::string>& sequence) {
    const auto position = [&](const std::string& label) {
        return std::find(sequence.begin(), sequence.end(), label);
    };
    std::vector<Edge> broken;
    for (const Candidate& candidate : candidates) {
        const Edge& edge = candidate.edge;
        if (edge.used && position(edge.after) < position(edge.before)) {
            broken.push_back(edge);
        }
    }
    return broken;
}

Diagnostics report_broken(const std::vector<Edge>& broken, bool overridden) {
    Diagnostics findings;
    if (!overridden && !broken.empty()) {
        findings.push_back(illegal(broken));
    }
    for (const Edge& edge : broken) {
        if (overridden) {
            findings.push_back(overridden_edge(edge));
        }
    }
    return findings;
}

}  // namespace topress::order
