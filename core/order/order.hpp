// From declared constraints to one order, with every edge, its origin, and what was set aside.
#pragma once

#include "base/diagnostic.hpp"
#include "order/constraint.hpp"
#include "order/evidence.hpp"
#include "order/rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace topress::order {

/// Everything an order is derived from. The sequence of the entries in these lists never matters.
struct Request {
    std::vector<Instance> selected;
    std::vector<TechniqueInfo> known;  ///< all installed techniques, selected or not; ids unique
    std::vector<RuleSet> rules;
    std::vector<Evidence> evidence;
    Scope scope;                                     ///< the network and the data of the run
    std::vector<DeclaredEdge> user_edges;            ///< ends are labels or references
    std::optional<std::vector<std::string>> forced;  ///< the order the user insists on, as labels
    bool override_ = false;                          ///< an illegal forced order is taken
    bool strict = false;                             ///< ambiguities are errors
    bool count_orders = true;                        ///< Order::legal_orders is wanted
};

/// One declaration on the way of an inferred edge.
struct Step {
    std::string before;  ///< label, or id of an absent technique
    std::string after;
    Strength strength = Strength::Soft;
    Provenance where;
    std::string reason;
    std::string source;
};

/// `before` goes before `after` (labels), and why.
struct Edge {
    std::string before;
    std::string after;
    Strength strength = Strength::Soft;
    Provenance where;  ///< of the weakest declaration when inferred
    std::string reason;
    std::string source;
    bool used = true;
    std::string skipped_because;       ///< the opposing path, when not used
    std::vector<std::string> through;  ///< absent techniques it was inferred through
    std::vector<Step> steps;           ///< the declarations it follows from: one unless inferred
};

/// Two techniques that nothing orders although they touch the same resource; a < b.
struct Ambiguity {
    std::string a;
    std::string b;
    std::string resource;
};

/// What was measured about two techniques of the run, over all files that are about them.
/// Units: accuracy as a fraction.
struct MeasuredPair {
    std::string before;  ///< technique id; this order was the better one, or equal
    std::string after;
    double difference = 0;
    double low = 0;  ///< 95 % confidence interval
    double high = 0;
    int seeds = 0;                   ///< of all files together
    std::vector<std::string> files;  ///< names of the evidence
    std::string place;               ///< where it was measured, in words
    bool in_scope = true;            ///< on the network and the data of the run
    bool decided = false;            ///< the interval excludes zero
    Provenance where;                ///< of the first file
};

/// A relation of a rule set that evidence in scope turns around.
struct Contradiction {
    Edge rule;
    Edge evidence;
    MeasuredPair measured;
};

/// One position of the sequence, with what a reader wants to know about it.
struct Place {
    std::string label;
    std::string technique;
    std::string kind;
    std::string granularity;
};

/// The derived or forced order and its explanation.
struct Order {
    std::vector<std::string> sequence;  ///< labels, first to last
    std::vector<Place> places;          ///< parallel to `sequence`
    std::vector<Edge> edges;            ///< strongest first; also those that were skipped
    std::vector<Ambiguity> ambiguities;
    std::vector<MeasuredPair> measured;
    std::vector<Contradiction> contradictions;
    Diagnostics diagnostics;  ///< warnings and information; errors are thrown
    bool forced = false;
    std::vector<Edge> violated;  ///< used edges that a forced order breaks (with override)
    std::uint64_t legal_orders =
        0;  ///< orders that keep every used edge; 0: not counted (above 20)
};

/// Derives the order: hard edges, then soft ones by origin and precedence, ties by (rank, technique
/// id, label).
/// Throws: DiagnosticError with all errors of the step that failed: order/unknown-technique,
///         order/duplicate-label, order/requires-missing, order/conflict, order/forced-incomplete;
///         order/cycle; order/forced-illegal, order/ambiguous (strict).
/// Cost:   below a millisecond for ten techniques; 2^N counting steps, N <= 20 selected.
[[nodiscard]] Order derive_order(const Request& request);

}  // namespace topress::order
