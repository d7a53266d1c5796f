// Declared relations, rules and user edges -> candidate edges between labels, strongest first.
#include "order/build.hpp"

#include "base/error.hpp"
#include "order/references.hpp"
#include "order/selection.hpp"

#include <algorithm>
#include <tuple>

namespace topress::order {

namespace {

/// Collects declarations while it walks over everything that was declared.
class Resolver {
  public:
    Resolver(const Nodes& nodes, Diagnostics& findings)
        : nodes_(nodes), findings_(findings), references_(nodes, findings) {}

    void add_node(NodeIndex node);
    void add_user_edge(const DeclaredEdge& edge);
    void add_rule(const Rule& rule);

    std::vector<Declaration> take() { return std::move(declarations_); }

  private:
    enum class Direction { Before, After };

    void add_relations(NodeIndex node, const std::vector<Relation>& relations, Direction direction);
    void add_users_relations(NodeIndex node,
                             const std::vector<Relation>& relations,
                             Direction direction);
    [[nodiscard]] bool same_technique(NodeIndex a, NodeIndex b) const;
    void report_self(const std::string& name, const Provenance& where);

    template <typename Declared>
    void add(NodeIndex from, NodeIndex to, Strength strength, const Declared& declared) {
        declarations_.push_back(
            {from, to, strength, &declared.where, &declared.reason, &declared.source});
    }

    const Nodes& nodes_;
    Diagnostics& findings_;
    References references_;
    std::vector<Declaration> declarations_;
};

bool Resolver::same_technique(NodeIndex a, NodeIndex b) const {
    return nodes_.all[a].technique == nodes_.all[b].technique;
}

void Resolver::add_node(NodeIndex index) {
    const Node& node = nodes_.all[index];
    add_relations(index, node.technique->before, Direction::Before);
    add_relations(index, node.technique->after, Direction::After);
    if (node.instance != nullptr) {
        add_users_relations(index, node.instance->before, Direction::Before);
        add_users_relations(index, node.instance->after, Direction::After);
    }
}

void Resolver::add_relations(NodeIndex node,
                             const std::vector<Relation>& relations,
                             Direction direction) {
    for (const Relation& relation : relations) {
        if (nodes_.all[node].instance != nullptr) {
            references_.report(relation.target, relation.where, false);
        }
        for (const NodeIndex other : references_.find(relation.target)) {
            if (same_technique(node, other)) {
                continue;  // a technique is never ordered against itself by its own declaration
            }
            const bool before = direction == Direction::Before;
            add(before ? node : other, before ? other : node, relation.strength, relation);
        }
    }
}

void Resolver::add_users_relations(NodeIndex node,
                                   const std::vector<Relation>& relations,
                                   Direction direction) {
    for (const Relation& relation : relations) {
        references_.report(relation.target, relation.where, true);
        if (relation.target == nodes_.all[node].name) {
            report_self(relation.target, relation.where);
        }
        for (const NodeIndex other : references_.find_for_user(relation.target)) {
            if (other != node) {
                const bool before = direction == Direction::Before;
                add(before ? node : other, before ? other : node, relation.strength, relation);
            }
        }
    }
}

void Resolver::add_user_edge(const DeclaredEdge& edge) {
    references_.report(edge.before, edge.where, true);
    references_.report(edge.after, edge.where, true);
    if (edge.before == edge.after) {
        report_self(edge.before, edge.where);
        return;
    }
    // Two instances of one technique are told apart by label only.
    const bool by_label = references_.is_label(edge.before) || references_.is_label(edge.after);
    for (const NodeIndex from : references_.find_for_user(edge.before)) {
        for (const NodeIndex to : references_.find_for_user(edge.after)) {
            if (from != to && (by_label || !same_technique(from, to))) {
                add(from, to, edge.strength, edge);
            }
        }
    }
}

void Resolver::add_rule(const Rule& rule) {
    references_.report_rule(rule.before, rule.where);
    references_.report_rule(rule.after, rule.where);
    const auto fits_one_of = [&](NodeIndex node, const std::vector<std::string>& references) {
        return std::any_of(references.begin(), references.end(), [&](const std::string& each) {
            return matches(each, *nodes_.all[node].technique);
        });
    };
    const auto in_scope = [&](NodeIndex node) {
        return rule.among.empty() || matches(rule.among, *nodes_.all[node].technique);
    };
    const auto later = references_.find(rule.after);
    for (const NodeIndex from : references_.find(rule.before)) {
        if (!in_scope(from) || fits_one_of(from, rule.behind_before)) {
            continue;
        }
        for (const NodeIndex to : later) {
            if (in_scope(to) && !fits_one_of(to, rule.behind_after) && !same_technique(from, to)) {
                add(from, to, Strength::Soft, rule);
            }
        }
    }
}

void Resolver::report_self(const std::string& name, const Provenance& where) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "order/self-reference";
    finding.message = "'" + name + "' is ordered against itself; the relation has no effect";
    finding.location = to_location(where);
    finding.notes.push_back({describe(where), {}});
    finding.hint = "name another technique, or remove the relation";
    findings_.push_back(std::move(finding));
}

auto tie_break(const Node& node) {
    return std::tie(node.technique->rank, node.technique->id, node.name);
}

/// By place, so that the findings do not show in which sequence the request lists things.
bool reads_first(const Diagnostic& a, const Diagnostic& b) {
    const auto key = [](const Diagnostic& d) {
        return std::tie(d.location.file,
                        d.location.line,
                        d.location.column,
                        d.code,
                        d.message,
                        d.notes.front().message);
    };
    return key(a) < key(b);
}

}  // namespace

int weakness(Strength strength, const Provenance& where) {
    constexpr int kPerOrigin = 1 << 24;  // more precedences than anybody has rule sets or pairs
    return strength == Strength::Hard
               ? 0
               : 1 + kPerOrigin * static_cast<int>(where.origin) + where.precedence;
}

Nodes make_nodes(const Request& request) {
    Nodes nodes;
    for (const Instance& instance : request.selected) {
        const TechniqueInfo* technique = find_technique(request, instance.technique);
        TOPRESS_ASSERT(technique != nullptr);
        nodes.all.push_back({instance.label, technique, &instance});
    }
    nodes.selected = nodes.all.size();
    std::vector<Node> absent;
    for (const TechniqueInfo& technique : request.known) {
        const bool selected = std::any_of(nodes.all.begin(), nodes.all.end(), [&](const Node& n) {
            return n.technique == &technique;
        });
        if (!selected) {
            absent.push_back({technique.id, &technique, nullptr});
        }
    }
    std::sort(nodes.all.begin(), nodes.all.end(), [](const Node& a, const Node& b) {
        return tie_break(a) < tie_break(b);
    });
    std::sort(
        absent.begin(), absent.end(), [](const Node& a, const Node& b) { return a.name < b.name; });
    nodes.all.insert(nodes.all.end(), absent.begin(), absent.end());
    return nodes;
}

std::vector<Declaration> resolve(const Request& request,
                                 const Derived& derived,
                                 const Nodes& nodes,
                                 Diagnostics& findings) {
    Resolver resolver(nodes, findings);
    for (NodeIndex node = 0; node < nodes.all.size(); ++node) {
        resolver.add_node(node);
    }
    for (const DeclaredEdge& edge : request.user_edges) {
        resolver.add_user_edge(edge);
    }
    for (const RuleSet& set : request.rules) {
        for (const Rule& rule : set.rules) {
            resolver.add_rule(rule);
        }
    }
    for (const Rule& rule : derived.rules) {
        resolver.add_rule(rule);
    }
    for (const DeclaredEdge& edge : derived.edges) {
        resolver.add_user_edge(edge);
    }
    std::sort(findings.begin(), findings.end(), reads_first);
    return resolver.take();
}

}  // namespace topress::order
