// Pairs that nothing orders although they touch the same resource, so that their order may matter.
#include "order/ambiguity.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace topress::order {

namespace {

/// Selected nodes by label.
std::unordered_map<std::string_view, const Node*> by_label(const Nodes& nodes) {
    std::unordered_map<std::string_view, const Node*> found;
    for (const Node& node : nodes.all) {
        if (node.instance != nullptr) {
            found.try_emplace(node.name, &node);
        }
    }
    return found;
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

/// The resources of a node, looked up once.
struct Access {
    Names written;
    Names touched;
};

std::vector<Access> access_of_selected(const Nodes& nodes) {
    std::vector<Access> all;
    for (NodeIndex i = 0; i < nodes.selected; ++i) {
        all.push_back({written_by(nodes.all[i]), touched_by(nodes.all[i])});
    }
    return all;
}

/// Resources both touch, at least one of them writing; sorted by name.
std::vector<std::string> shared_resources(const Access& a, const Access& b) {
    std::vector<std::string> shared;
    for (const std::string& name : a.touched) {
        if (b.touched.contains(name) && (a.written.contains(name) || b.written.contains(name))) {
            shared.push_back(name);
        }
    }
    return shared;
}

// Beyond that many a reader needs the number, not the list; Order::ambiguities has them all.
constexpr std::size_t kMostReported = 100;

Diagnostic report_rest(std::size_t pairs) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "order/ambiguous";
    finding.message = "nothing orders " + std::to_string(pairs) +
                      " more pairs that touch the same resource; rank, then id decides";
    finding.hint = "`topress plan --json` lists all of them under `ambiguities`";
    return finding;
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
    const std::vector<Access> access = access_of_selected(nodes);
    std::vector<Ambiguity> found;
    for (NodeIndex i = 0; i < nodes.selected; ++i) {
        for (NodeIndex j = i + 1; j < nodes.selected; ++j) {
            if (order.reaches(i, j) || order.reaches(j, i)) {
                continue;
            }
            const auto [a, b] = std::minmax(nodes.all[i].name, nodes.all[j].name);
            for (std::string& resource : shared_resources(access[i], access[j])) {
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
    const auto named = by_label(nodes);
    Diagnostics findings;
    std::size_t pairs = 0;
    for (std::size_t i = 0; i < ambiguities.size();) {
        const Ambiguity& first = ambiguities[i];
        std::vector<std::string> resources;
        for (; i < ambiguities.size() && ambiguities[i].a == first.a && ambiguities[i].b == first.b;
             ++i) {
            resources.push_back(ambiguities[i].resource);
        }
        if (++pairs <= kMostReported) {
            findings.push_back(report_pair(*named.at(first.a), *named.at(first.b), resources));
        }
    }
    if (pairs > kMostReported) {
        findings.push_back(report_rest(pairs - kMostReported));
    }
    for (Diagnostic& finding : findings) {
        finding.severity = strict ? Severity::Error : Severity::Warning;
    }
    return findings;
}

}  // namespace topress::order
