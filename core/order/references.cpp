// What a reference of a relation means in this run, and what is wrong with it.
#include "order/references.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <set>

namespace topress::order {

namespace {

/// A rule's reference that is at least this similar to a known one is taken for a slip.
constexpr double kSlip = 0.8;

bool is_capability(const std::string& reference) {
    return reference.rfind("capability:", 0) == 0;
}

bool is_known_trait(const std::string& reference) {
    const auto& traits = known_traits();
    return std::find(traits.begin(), traits.end(), reference) != traits.end();
}

}  // namespace

References::References(const Nodes& nodes, Diagnostics& findings)
    : nodes_(nodes), findings_(findings) {
    for (NodeIndex i = 0; i < nodes.all.size(); ++i) {
        if (nodes.all[i].instance != nullptr) {
            labels_.try_emplace(nodes.all[i].name, i);
        }
    }
}

bool References::is_label(const std::string& reference) const {
    return labels_.contains(reference);
}

const std::vector<NodeIndex>& References::find(const std::string& reference) const {
    const auto [place, fresh] = found_.try_emplace(reference);
    if (fresh) {
        for (NodeIndex i = 0; i < nodes_.all.size(); ++i) {
            if (matches(reference, *nodes_.all[i].technique)) {
                place->second.push_back(i);
            }
        }
    }
    return place->second;
}

std::vector<NodeIndex> References::find_for_user(const std::string& reference) const {
    const auto label = labels_.find(reference);
    return label != labels_.end() ? std::vector{label->second} : find(reference);
}

void References::report(const std::string& reference,
                        const Provenance& where,
                        bool labels_allowed) {
    const auto found = labels_allowed ? find_for_user(reference) : find(reference);
    if (!found.empty()) {
        const bool absent = found.front() >= nodes_.selected;  // selected nodes come first
        if (absent && (is_capability(reference) || !is_trait(reference))) {
            add(Severity::Info,
                "order/reference-not-selected",
                "'" + reference + "' is installed but not part of this run",
                where,
                "");
        }
        return;
    }
    if (is_known_trait(reference)) {
        return;
    }
    const auto near = nearest(reference, names(labels_allowed));
    add(Severity::Warning,
        "order/unknown-reference",
        "'" + reference + "' is no known technique or trait; the relation has no effect",
        where,
        near ? "did you mean '" + *near + "'?"
             : "install the plugin that has it, or remove the relation");
}

void References::report_rule(const std::string& reference, const Provenance& where) {
    if (!find(reference).empty() || is_known_trait(reference)) {
        return;
    }
    if (const auto near = nearest(reference, names(false), kSlip)) {
        add(Severity::Warning,
            "order/unknown-reference",
            "'" + reference + "' is no known technique or trait; the rule has no effect",
            where,
            "did you mean '" + *near + "'?");
    }
}

std::vector<std::string> References::names(bool with_labels) const {
    std::set<std::string> names(known_traits().begin(), known_traits().end());
    for (const Node& node : nodes_.all) {
        names.insert(node.technique->id);
        names.insert("granularity:" + node.technique->granularity);
        for (const std::string& capability : node.technique->provides) {
            names.insert("capability:" + capability);
        }
        if (with_labels && node.instance != nullptr) {
            names.insert(node.name);
        }
    }
    return {names.begin(), names.end()};
}

void References::add(Severity severity,
                     const char* code,
                     std::string message,
                     const Provenance& where,
                     std::string hint) {
    Diagnostic finding;
    finding.severity = severity;
    finding.code = code;
    finding.message = std::move(message);
    finding.location = to_location(where);
    finding.notes.push_back({describe(where), {}});
    finding.hint = std::move(hint);
    const bool repeated =
        std::any_of(findings_.begin(), findings_.end(), [&](const Diagnostic& other) {
            return other.code == finding.code && other.message == finding.message &&
                   other.notes.front().message == finding.notes.front().message;
        });
    if (!repeated) {
        findings_.push_back(std::move(finding));
    }
}

}  // namespace topress::order
