// Declared relations, rules and user edges -> candidate edges between labels, strongest first.
#pragma once

#include "order/graph.hpp"
#include "order/order.hpp"

#include <string>
#include <vector>

namespace topress::order {

/// A selected instance or an installed technique that is absent from the run.
struct Node {
    std::string name;  ///< label, or id if absent
    const TechniqueInfo* technique = nullptr;
    const Instance* instance = nullptr;  ///< null if absent
};

/// One declaration between two nodes; points into the request.
struct Declaration {
    NodeIndex from = 0;
    NodeIndex to = 0;
    Strength strength = Strength::Soft;
    const Provenance* where = nullptr;
    const std::string* reason = nullptr;
    const std::string* source = nullptr;
};

/// An edge between two selected nodes.
struct Candidate {
    NodeIndex from = 0;
    NodeIndex to = 0;
    Edge edge;
};

/// Selected nodes first, in the order of the tie-break (rank, id, label); then absent ones by id.
struct Nodes {
    std::vector<Node> all;
    std::size_t selected = 0;
};

/// 0 for hard, then rising for soft by origin and precedence: the smaller, the stronger.
[[nodiscard]] int weakness(Strength strength, const Provenance& where);

/// Requires: check_selection found no error.
[[nodiscard]] Nodes make_nodes(const Request& request);

/// Relations that follow from figures; declarations point into it.
struct Derived {
    std::vector<Rule> rules;          ///< of evidence
    std::vector<DeclaredEdge> edges;  ///< between labels, by intensity
};

/// All declarations between nodes, absent ones included. Reports, by place, what is wrong with
/// references of selected techniques, of the configuration and of rules: order/unknown-reference,
/// order/reference-not-selected, order/self-reference.
[[nodiscard]] std::vector<Declaration> resolve(const Request& request,
                                               const Derived& derived,
                                               const Nodes& nodes,
                                               Diagnostics& findings);

/// Edges between selected nodes, direct and inferred through absent ones, strongest first; direct
/// before inferred, then by names and place.
[[nodiscard]] std::vector<Candidate> make_candidates(const Nodes& nodes,
                                                     const std::vector<Declaration>& declarations);

}  // namespace topress::order
