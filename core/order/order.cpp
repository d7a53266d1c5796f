// Deriving an order, step by step: the spine of this module.
#include "order/order.hpp"

#include "order/ambiguity.hpp"
#include "order/build.hpp"
#include "order/cycle.hpp"
#include "order/disagreement.hpp"
#include "order/figures.hpp"
#include "order/forced.hpp"
#include "order/graph.hpp"
#include "order/selection.hpp"
#include "order/settle.hpp"

#include <algorithm>
#include <iterator>

namespace topress::order {

namespace {

/// Appends the findings of one step and stops there if it found errors.
void collect(Diagnostics& all, Diagnostics findings) {
    all.insert(all.end(),
               std::make_move_iterator(findings.begin()),
               std::make_move_iterator(findings.end()));
    if (!has_errors(all)) {
        return;
    }
    // Errors first: what stops the run is what the reader wants to see.
    std::stable_partition(all.begin(), all.end(), [](const Diagnostic& finding) {
        return finding.severity == Severity::Error;
    });
    throw DiagnosticError(std::move(all));
}

Diagnostics check_request(const Request& request) {
    Diagnostics findings = check_selection(request);
    if (request.forced) {
        for (Diagnostic& finding : check_forced(request.selected, *request.forced)) {
            findings.push_back(std::move(finding));
        }
    }
    return findings;
}

/// Cycles end the derivation, except where the user overrides the order as a whole.
Diagnostics check_cycles(const Request& request,
                         const Nodes& nodes,
                         const std::vector<Candidate>& candidates) {
    Diagnostics findings = find_cycles(nodes, candidates);
    if (request.forced && request.override_) {
        for (Diagnostic& finding : findings) {
            finding.severity = Severity::Warning;
        }
    }
    return findings;
}

std::vector<std::string> names_of(const Nodes& nodes, const std::vector<NodeIndex>& indices) {
    std::vector<std::string> names;
    for (const NodeIndex index : indices) {
        names.push_back(nodes.all[index].name);
    }
    return names;
}

void fill_places(const Nodes& nodes, Order& order) {
    for (const std::string& label : order.sequence) {
        const auto node = std::find_if(nodes.all.begin(), nodes.all.end(), [&](const Node& each) {
            return each.instance != nullptr && each.name == label;
        });
        const TechniqueInfo& technique = *node->technique;
        order.places.push_back({label, technique.id, technique.kind, technique.granularity});
    }
}

void take_forced(const Request& request, const std::vector<Candidate>& candidates, Order& order) {
    order.forced = true;
    order.sequence = *request.forced;
    order.violated = broken_edges(candidates, order.sequence);
    collect(order.diagnostics, report_broken(order.violated, request.override_));
}

void take_derived(const Request& request,
                  const Nodes& nodes,
                  const std::vector<Arc>& arcs,
                  Order& order) {
    order.sequence = names_of(nodes, sort_topologically(nodes.selected, arcs));
    order.ambiguities = find_ambiguities(nodes, arcs);
    collect(order.diagnostics, report_ambiguities(nodes, order.ambiguities, request.strict));
}

}  // namespace

Order derive_order(const Request& request) {
    Order order;
    collect(order.diagnostics, check_request(request));

    const Nodes nodes = make_nodes(request);
    Measured measured = weigh_evidence(request, nodes);
    order.measured = std::move(measured.pairs);
    const Derived derived{std::move(measured.rules),
                          order_by_intensity(request, nodes, order.diagnostics)};
    const std::vector<Declaration> declarations =
        resolve(request, derived, nodes, order.diagnostics);
    std::vector<Candidate> candidates = make_candidates(nodes, declarations);
    collect(order.diagnostics, check_cycles(request, nodes, candidates));
    settle(nodes, candidates, order.diagnostics);
    order.contradictions = find_contradictions(candidates, order.measured);
    collect(order.diagnostics, report_contradictions(order.contradictions));
    collect(order.diagnostics, report_undecided(order.measured));

    const std::vector<Arc> arcs = used_arcs(candidates);
    if (request.forced) {
        take_forced(request, candidates, order);
    } else {
        take_derived(request, nodes, arcs, order);
    }
    fill_places(nodes, order);
    order.legal_orders = request.count_orders ? count_orders(nodes.selected, arcs) : 0;
    for (Candidate& candidate : candidates) {
        order.edges.push_back(std::move(candidate.edge));
    }
    return order;
}

}  // namespace topress::order
