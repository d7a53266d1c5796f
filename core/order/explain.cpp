// An order in words and as a drawing; plain text, nothing is printed.
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
    std::vector<std::string> lines;
    for (const Edge* edge : used) {
        lines.push_back(describe(*edge));
    }
    return lines;
}

std::vector<std::string> skipped_lines(const Order& order) {
    std::vector<std::string> lines;
    for (const Edge& edge : order.edges) {
        if (!edge.used) {
            lines.push_back(describe(edge) + " [contradicts: " + edge.skipped_because + "]");
        }
    }
    return lines;
}

std::vector<std::string> violated_lines(const Order& order) {
    std::vector<std::string> lines;
    for (const Edge& edge : order.violated) {
        lines.push_back(describe(edge));
    }
    return lines;
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

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c == '\n' ? ' ' : c;
    }
    return result + "\"";
}

std::string dot_style(const Order& order, const Edge& edge) {
    const bool broken =
        std::any_of(order.violated.begin(), order.violated.end(), [&](const Edge& other) {
            return other.before == edge.before && other.after == edge.after;
        });
    if (edge.used && broken) {
        return "color=red, style=bold";
    }
    if (!edge.used) {
        return "style=dotted, constraint=false";
    }
    return edge.strength == Strength::Hard ? "style=solid" : "style=dashed";
}

/// The strongest used edge between two labels; edges are sorted by strength.
const Edge& used_edge(const Order& order, const std::string& before, const std::string& after) {
    return *std::find_if(order.edges.begin(), order.edges.end(), [&](const Edge& edge) {
        return edge.used && edge.before == before && edge.after == after;
    });
}

}  // namespace

std::string describe(const Edge& edge) {
    std::string text = edge.before + " before " + edge.after + "   " +
                       std::string(to_string(edge.strength)) + ", " + describe(edge.where);
    if (!edge.through.empty()) {
        text += ", through " + joined(edge.through, ", ") + " (not part of this run)";
    }
    if (!edge.reason.empty()) {
        text += ": " + edge.reason;
    }
    return edge.source.empty() ? text : text + " [" + edge.source + "]";
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
    const std::vector<NodeIndex> path = shortest_path(count, arcs, from, to);
    std::vector<Edge> edges;
    for (std::size_t i = 1; i < path.size(); ++i) {
        edges.push_back(used_edge(order, order.sequence[path[i - 1]], order.sequence[path[i]]));
    }
    return edges;
}

std::string to_dot(const Order& order) {
    std::string dot = "digraph order {\n  rankdir=LR;\n  node [shape=box];\n";
    for (std::size_t i = 0; i < order.places.size(); ++i) {
        const Place& place = order.places[i];
        dot +=
            "  " + quoted(place.label) + " [label=" + quoted(describe_place(place, i + 1)) + "];\n";
    }
    for (const Edge& edge : order.edges) {
        dot += "  " + quoted(edge.before) + " -> " + quoted(edge.after) + " [" +
               dot_style(order, edge) + ", tooltip=" + quoted(describe(edge)) + "];\n";
    }
    return dot + "}\n";
}

}  // namespace topress::order
