// An order in words; plain text, nothing is printed.
#include "order/explain.hpp"

#include "order/graph.hpp"

#include <algorithm>
#include <utility>

namespace topress::order {

namespace {

std::string joined(const std::vector<std::string>& parts, const char* separator) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : separator) + part;
    }
    return text;
}

std::string describe_place(const Place& place, std::size_t number) {
    std::vector<std::string> traits;
    if (place.technique != place.label) {
        traits.push_back(place.technique);
    }
    for (const std::string* trait : {&place.kind, &place.granularity}) {
        if (!trait->empty()) {
            traits.push_back(*trait);
        }
    }
    const std::string line = std::to_string(number) + " " + place.label;
    return traits.empty() ? line : line + " (" + joined(traits, ", ") + ")";
}

void add_section(std::vector<std::string>& lines,
                 const std::string& title,
                 const std::vector<std::string>& entries) {
    if (entries.empty()) {
        return;
    }
    lines.push_back(title);
    for (const std::string& entry : entries) {
        lines.push_back("  " + entry);
    }
}

NodeIndex position(const Order& order, const std::string& label) {
    const auto at = std::find(order.sequence.begin(), order.sequence.end(), label);
    return static_cast<NodeIndex>(at - order.sequence.begin());
}

/// "soft, declared by ... : reason [source]".
std::string grounds_of(const Edge& edge) {
    std::string text = std::string(to_string(edge.strength)) + ", " + describe(edge.where);
    if (!edge.through.empty()) {
        text += ", through " + joined(edge.through, ", ") + " (not part of this run)";
    }
    if (!edge.reason.empty()) {
        text += ": " + edge.reason;
    }
    return edge.source.empty() ? text : text + " [" + edge.source + "]";
}

/// Edges that rest on the same grounds, told together: their pairs, then the grounds.
std::vector<std::string> grouped_lines(const std::vector<const Edge*>& edges) {
    std::vector<std::pair<std::string, std::string>> groups;  // grounds, pairs
    for (const Edge* edge : edges) {
        std::string grounds = grounds_of(*edge);
        if (!edge->used) {
            grounds += "\n  it contradicts: " + edge->skipped_because;
        }
        const std::string pair = edge->before + " before " + edge->after;
        const auto group = std::ranges::find(groups, grounds, &decltype(groups)::value_type::first);
        if (group == groups.end()) {
            groups.emplace_back(grounds, pair);
        } else {
            group->second += ", " + pair;
        }
    }
    std::vector<std::string> lines;
    for (const auto& [grounds, pairs] : groups) {
        lines.push_back(pairs);
        const std::size_t end = grounds.find('\n');
        lines.push_back("  " + grounds.substr(0, end));
        if (end != std::string::npos) {
            lines.push_back(grounds.substr(end + 1));
        }
    }
    return lines;
}

/// Used edges as they follow each other in the sequence; of one pair the strongest first.
std::vector<std::string> used_lines(const Order& order) {
    std::vector<const Edge*> used;
    for (const Edge& edge : order.edges) {
        if (edge.used) {
            used.push_back(&edge);
        }
    }
    const auto place = [&](const Edge* edge) {
        return std::pair(position(order, edge->before), position(order, edge->after));
    };
    std::stable_sort(used.begin(), used.end(), [&](const Edge* a, const Edge* b) {
        return place(a) < place(b);
    });
    return grouped_lines(used);
}

std::vector<std::string> skipped_lines(const Order& order) {
    std::vector<const Edge*> skipped;
    for (const Edge& edge : order.edges) {
        if (!edge.used) {
            skipped.push_back(&edge);
        }
    }
    return grouped_lines(skipped);
}

std::vector<std::string> violated_lines(const Order& order) {
    std::vector<const Edge*> violated;
    for (const Edge& edge : order.violated) {
        violated.push_back(&edge);
    }
    return grouped_lines(violated);
}

std::vector<std::string> open_lines(const Order& order) {
    std::vector<std::string> lines;
    for (const Ambiguity& pair : order.ambiguities) {
        lines.push_back(pair.a + " and " + pair.b + " both touch " + pair.resource);
    }
    return lines;
}

std::vector<std::string> contradicted_lines(const Order& order) {
    std::vector<std::string> lines;
    for (const Contradiction& each : order.contradictions) {
        lines.push_back(each.rule.before + " before " + each.rule.after + " of " +
                        each.rule.where.declared_by + ", but " + each.evidence.before + " before " +
                        each.evidence.after + ": " + each.evidence.reason);
    }
    return lines;
}

std::vector<std::string> undecided_lines(const Order& order) {
    std::vector<std::string> lines;
    for (const MeasuredPair& pair : order.measured) {
        if (!pair.decided) {
            lines.push_back(pair.before + " and " + pair.after + ": " + describe(pair) +
                            (pair.in_scope ? "" : ", elsewhere: " + pair.place));
        }
    }
    return lines;
}

/// The strongest used edge between two labels; edges are sorted by strength.
const Edge& used_edge(const Order& order, const std::string& before, const std::string& after) {
    return *std::find_if(order.edges.begin(), order.edges.end(), [&](const Edge& edge) {
        return edge.used && edge.before == before && edge.after == after;
    });
}

}  // namespace

std::string describe(const Edge& edge) {
    return edge.before + " before " + edge.after + "   " + grounds_of(edge);
}

std::vector<std::string> explain(const Order& order) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < order.places.size(); ++i) {
        lines.push_back(describe_place(order.places[i], i + 1));
    }
    if (order.forced) {
        lines.push_back("forced by the configuration");
    } else if (order.legal_orders == 1) {
        lines.push_back("the only order that keeps every relation");
    } else if (order.legal_orders > 1) {
        lines.push_back("one of " + std::to_string(order.legal_orders) +
                        " orders that keep every relation; ties by rank, then id");
    }
    add_section(lines, "because", used_lines(order));
    add_section(lines, "set aside", skipped_lines(order));
    add_section(lines, "rules that measurements contradict", contradicted_lines(order));
    add_section(lines, "measured, but undecided: the interval covers zero", undecided_lines(order));
    add_section(lines, "broken by the forced order", violated_lines(order));
    add_section(lines, "not settled by any relation", open_lines(order));
    return lines;
}

std::optional<std::vector<Edge>> why(const Order& order,
                                     const std::string& before,
                                     const std::string& after) {
    const std::size_t count = order.sequence.size();
    const NodeIndex from = position(order, before);
    const NodeIndex to = position(order, after);
    if (from >= to || to == count) {
        return std::nullopt;
    }
    std::vector<Arc> arcs;
    for (const Edge& edge : order.edges) {
        if (edge.used) {
            arcs.emplace_back(position(order, edge.before), position(order, edge.after));
        }
    }
    const std::vector<NodeIndex> path = shortest_path(Successors(count, arcs), from, to);
    std::vector<Edge> edges;
    for (std::size_t i = 1; i < path.size(); ++i) {
        edges.push_back(used_edge(order, order.sequence[path[i - 1]], order.sequence[path[i]]));
    }
    return edges;
}

}  // namespace topress::order
