// One link per pair of labels, without those that follow from others.
#include "order/links.hpp"

#include "order/graph.hpp"

#include <algorithm>
#include <map>

namespace topress::order {

namespace {

using Kinds = std::map<std::pair<NodeIndex, NodeIndex>, LinkKind>;

LinkKind kind_of(const Order& order, const Edge& edge) {
    if (!edge.used) {
        return LinkKind::SetAside;
    }
    if (is_broken(order, edge)) {
        return LinkKind::Broken;
    }
    return edge.strength == Strength::Hard ? LinkKind::Hard : LinkKind::Soft;
}

/// The most telling kind of each pair: broken, else hard, soft, set aside.
Kinds kinds_of(const Order& order) {
    const auto position = [&](const std::string& label) {
        return static_cast<NodeIndex>(std::ranges::find(order.sequence, label) -
                                      order.sequence.begin());
    };
    Kinds kinds;
    for (const Edge& edge : order.edges) {
        const LinkKind kind = kind_of(order, edge);
        const auto [at, is_new] =
            kinds.try_emplace({position(edge.before), position(edge.after)}, kind);
        if (!is_new && (kind == LinkKind::Broken || kind < at->second)) {
            at->second = at->second == LinkKind::Broken ? LinkKind::Broken : kind;
        }
    }
    return kinds;
}

bool is_forward(LinkKind kind) {
    return kind == LinkKind::Hard || kind == LinkKind::Soft;
}

/// Whether other links of at least this strength lead from one end to the other.
bool follows(const Kinds& kinds, std::size_t count, const Arc& pair, LinkKind kind) {
    Reachability others(count);
    for (const auto& [other, strength] : kinds) {
        if (other != pair && is_forward(strength) && strength <= kind) {
            others.add(other.first, other.second);
        }
    }
    return others.reaches(pair.first, pair.second);
}

}  // namespace

bool is_broken(const Order& order, const Edge& edge) {
    return std::ranges::any_of(order.violated, [&](const Edge& other) {
        return other.before == edge.before && other.after == edge.after;
    });
}

Links links_of(const Order& order) {
    const std::size_t count = order.sequence.size();
    Links links;
    links.neighbours.assign(count == 0 ? 0 : count - 1, LinkKind::Tie);
    const Kinds kinds = kinds_of(order);
    for (const auto& [pair, kind] : kinds) {
        const auto [from, to] = pair;
        if (is_forward(kind) && to == from + 1) {
            links.neighbours[from] = kind;
        } else if (kind == LinkKind::Broken && from == to + 1) {
            links.neighbours[to] = kind;
        } else if (is_forward(kind) && follows(kinds, count, pair, kind)) {
            ++links.implied;
        } else {
            links.arcs.push_back({from, to, kind});
        }
    }
    std::ranges::stable_sort(links.arcs, {}, [](const Link& arc) {
        return arc.from < arc.to ? arc.to - arc.from : arc.from - arc.to;
    });
    return links;
}

}  // namespace topress::order
