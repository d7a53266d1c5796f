// Pairs that nothing orders although they touch the same resource, so that their order may matter.
#include "order/ambiguity.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace topress::order {

namespace {

const Node& node_named(const Nodes& nodes, const std::string& label) {
    return *std::find_if(nodes.all.begin(), nodes.all.end(), [&](const Node& node) {
        return node.instance != nullptr && node.name == label;
    });
}

using Names = std::set<std::string>;

void insert(Names& names, const std::vector<std::string>& more) {
    names.insert(more.begin(), more.end());
}

/// What a selected technique writes with its parameters.
Names written_by(const Node& node) {
    Names names;
    insert(names, node.technique->writes);
    insert(names, node.instance->writes);
    return names;
}

Names touched_by(const Node& node) {
    Names names = written_by(node);
    insert(names, node.technique->reads);
    insert(names, node.instance->reads);
    return names;
}

/// Resources both touch, at least one of them writing; sorted by name.
std::vector<std::string> shared_resources(const Node& a, const Node& b) {
    Names written = written_by(a);
    written.merge(written_by(b));
    const Names of_b = touched_by(b);
    std::vector<std::string> shared;
    for (const std::string& name : touched_by(a)) {
        if (of_b.contains(name) && written.contains(name)) {
            shared.push_back(name);
        }
    }
    return shared;
}

std::string access_of(const Node& node, const std::string& resource) {
    const bool written = written_by(node).contains(resource);
    return "'" + node.name + "' " + (written ? "writes " : "reads ") + resource;
}

Diagnostic report_pair(const Node& a, const Node& b, const std::vector<std::string>& resources) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "order/ambiguous";
    finding.message = "nothing says whether '" + a.name + "' or '" + b.name +
                      "' goes first, and both touch the same resource";
    finding.location = to_location(b.instance->where);
    for (const std::string& resource : resources) {
        finding.notes.push_back({access_of(a, resource) + ", " + access_of(b, resource), {}});
    }
    finding.hint = "add [[order.edge]] with before = \"" + a.name + "\", after = \"" + b.name +
                   "\" or the reverse; until then rank, then id decides";
    return finding;
}

}  // namespace

std::vector<Ambiguity> find_ambiguities(const Nodes& nodes, const std::vector<Arc>& used) {
    Reachability order(nodes.selected);
    for (const auto& [before, after] : used) {
        order.add(before, after);
    }
    std::vector<Ambiguity> found;
    for (NodeIndex i = 0; i < nodes.selected; ++i) {
        for (NodeIndex j = i + 1; j < nodes.selected; ++j) {
            if (order.reaches(i, j) || order.reaches(j, i)) {
                continue;
            }
            const auto [a, b] = std::minmax(nodes.all[i].name, nodes.all[j].name);
            for (std::string& resource : shared_resources(nodes.all[i], nodes.all[j])) {
                found.push_back({a, b, std::move(resource)});
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const Ambiguity& x, const Ambiguity& y) {
        return std::tie(x.a, x.b, x.resource) < std::tie(y.a, y.b, y.resource);
    });
    return found;
}

Diagnostics report_ambiguities(const Nodes& nodes,
                               const std::vector<Ambiguity>& ambiguities,
                               bool strict) {
    Diagnostics findings;
    for (std::size_t i = 0; i < ambiguities.size();) {
        const Ambiguity& first = ambiguities[i];
        std::vector<std::string> resources;
        for (; i < ambiguities.size() && ambiguities[i].a == first.a && ambiguities[i].b == first.b;
             ++i) {
            resources.push_back(ambiguities[i].resource);
        }
        findings.push_back(
            report_pair(node_named(nodes, first.a), node_named(nodes, first.b), resources));
        findings.back().severity = strict ? Severity::Error : Severity::Warning;
    }
    return findings;
}

}  // namespace topress::order
