// An order as a Graphviz graph.
#include "order/explain.hpp"
#include "order/links.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace topress::order {

namespace {

constexpr const char* kHead =
    "digraph order {\n"
    "  rankdir=LR;\n"
    "  bgcolor=\"transparent\";\n"
    "  nodesep=0.35;\n"
    "  ranksep=0.9;\n"
    "  fontname=\"Helvetica\";\n"
    "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#eef3fa\", color=\"#4a6fa5\", "
    "fontname=\"Helvetica\", fontsize=12, margin=\"0.18,0.1\"];\n"
    "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#333333\", fontcolor=\"#555555\"];\n";

struct Look {
    const char* style;
    const char* meaning;
};

constexpr std::array<Look, 5> kLooks = {{
    {"style=solid, penwidth=1.8", "hard: must hold"},
    {"style=dashed", "soft: gives way to something stronger"},
    {"style=invis", ""},
    {"style=dotted, constraint=false", "set aside: something stronger contradicts"},
    {R"(style=bold, color="#c0392b", constraint=false)", "broken by the forced order"},
}};

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c == '\n' ? ' ' : c;
    }
    return result;
}

std::string quoted(const std::string& text) {
    return std::string("\"").append(escaped(text)).append("\"");
}

std::string node_line(const Place& place, std::size_t number) {
    std::string label = std::to_string(number) + "  " + escaped(place.label);
    if (place.technique != place.label) {
        label += "\\n" + escaped(place.technique);
    }
    std::string traits = place.kind;
    traits += traits.empty() || place.granularity.empty() ? "" : ", ";
    traits += place.granularity;
    label += traits.empty() ? "" : "\\n" + escaped(traits);
    return "  " + quoted(place.label) + " [label=\"" + label + "\"];\n";
}

LinkKind kind_of(const Order& order, const Edge& edge) {
    if (!edge.used) {
        return LinkKind::SetAside;
    }
    if (is_broken(order, edge)) {
        return LinkKind::Broken;
    }
    return edge.strength == Strength::Hard ? LinkKind::Hard : LinkKind::Soft;
}

/// All edges of one pair and kind: one arrow, every reason in its tooltip.
struct Arrow {
    const Edge* first = nullptr;
    LinkKind kind = LinkKind::Soft;
    std::string reasons;  ///< escaped, one line each
};

std::vector<Arrow> arrows_of(const Order& order) {
    std::vector<Arrow> arrows;
    for (const Edge& edge : order.edges) {
        const LinkKind kind = kind_of(order, edge);
        const auto same = std::ranges::find_if(arrows, [&](const Arrow& arrow) {
            return arrow.first->before == edge.before && arrow.first->after == edge.after &&
                   (arrow.kind == kind || arrow.first->used == edge.used);
        });
        if (same == arrows.end()) {
            arrows.push_back({&edge, kind, escaped(describe(edge))});
        } else {
            same->reasons += "\\n" + escaped(describe(edge));
        }
    }
    return arrows;
}

bool is_drawn(const Order& order, const Links& links, const Arrow& arrow) {
    if (arrow.kind != LinkKind::Hard && arrow.kind != LinkKind::Soft) {
        return true;
    }
    const auto at = [&](const std::string& label) {
        return static_cast<std::size_t>(std::ranges::find(order.sequence, label) -
                                        order.sequence.begin());
    };
    const std::size_t from = at(arrow.first->before);
    const std::size_t to = at(arrow.first->after);
    return to == from + 1 || std::ranges::any_of(links.arcs, [&](const Link& arc) {
               return arc.from == from && arc.to == to;
           });
}

std::string arrow_line(const Order& order, const Links& links, const Arrow& arrow) {
    const Edge& edge = *arrow.first;
    std::string look = kLooks.at(static_cast<std::size_t>(arrow.kind)).style;
    if (is_drawn(order, links, arrow)) {
        const std::string origin(to_string(edge.where.origin));
        look += ", label=\"" + std::string(to_string(edge.strength)) + "\\n" + origin + "\"";
    } else {
        look += R"(, color="#c4c4c4", weight=0)";
    }
    return "  " + quoted(edge.before) + " -> " + quoted(edge.after) + " [" + look +
           ", edgetooltip=\"" + arrow.reasons + "\", labeltooltip=\"" + arrow.reasons + "\"];\n";
}

std::string legend_line(const std::string& look, const std::string& meaning, int row) {
    const std::string from = "\" legend " + std::to_string(row);
    return "    " + from + "a\" [label=\"\"];\n    " + from +
           "b\" [shape=plaintext, style=\"\", fontsize=10, width=3.5, height=0.15, fixedsize=true, "
           "label=\"" +
           escaped(meaning) + "\\l\"];\n    " + from + "a\" -> " + from + "b\" [" + look + "];\n";
}

/// What the lines that occur mean; nothing where there are none.
std::string legend(const std::vector<Arrow>& arrows, bool has_implied) {
    std::string rows;
    int row = 0;
    for (std::size_t kind = 0; kind < kLooks.size(); ++kind) {
        if (std::ranges::any_of(arrows, [&](const Arrow& arrow) {
                return static_cast<std::size_t>(arrow.kind) == kind;
            })) {
            std::string look = kLooks.at(kind).style;
            const std::size_t at = look.find(", constraint=false");
            look = look.substr(0, at);
            rows += legend_line(look, kLooks.at(kind).meaning, row++);
        }
    }
    if (has_implied) {
        rows += legend_line(R"(color="#c4c4c4")", "pale: follows from the others", row++);
    }
    return rows.empty() ? ""
                        : "  subgraph \"cluster legend\" {\n"
                          "    label=\"\";\n    color=\"#d5d5d5\";\n"
                          "    node [shape=point, width=0.01, style=\"\"];\n" +
                              rows + "  }\n";
}

}  // namespace

std::string to_dot(const Order& order) {
    std::string dot = kHead;
    for (std::size_t i = 0; i < order.places.size(); ++i) {
        dot += node_line(order.places[i], i + 1);
    }
    const Links links = links_of(order);
    const std::vector<Arrow> arrows = arrows_of(order);
    for (const Arrow& arrow : arrows) {
        dot += arrow_line(order, links, arrow);
    }
    for (std::size_t i = 0; i < links.neighbours.size(); ++i) {
        if (links.neighbours[i] == LinkKind::Tie || links.neighbours[i] == LinkKind::Broken) {
            dot += "  " + quoted(order.sequence[i]) + " -> " + quoted(order.sequence[i + 1]) +
                   " [style=invis];\n";
        }
    }
    return dot + legend(arrows, links.implied > 0) + "}\n";
}

}  // namespace topress::order
