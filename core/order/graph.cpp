// Small directed graphs over 0..n-1: reachability, cycles, topological order, number of orders.
#include "order/graph.hpp"

#include "base/error.hpp"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <queue>

namespace topress::order {

namespace {

constexpr NodeIndex kNone = std::numeric_limits<NodeIndex>::max();

/// Walks `previous` back from `last` to `from` and appends `to`.
std::vector<NodeIndex> trace(const std::vector<NodeIndex>& previous,
                             NodeIndex from,
                             NodeIndex last,
                             NodeIndex to) {
    std::vector<NodeIndex> path{to};
    for (NodeIndex node = last; node != from; node = previous[node]) {
        path.push_back(node);
    }
    path.push_back(from);
    std::reverse(path.begin(), path.end());
    return path;
}

}  // namespace

Reachability::Reachability(std::size_t nodes)
    : nodes_(nodes), words_((nodes + kBits - 1) / kBits), bits_(nodes * words_, 0) {}

void Reachability::add(NodeIndex a, NodeIndex b) {
    const std::uint64_t* after_b = bits_.data() + b * words_;
    for (NodeIndex i = 0; i < nodes_; ++i) {
        // Who reaches b already reaches all that b reaches: the rows are closed.
        if ((i != a && !reaches(i, a)) || reaches(i, b)) {
            continue;
        }
        std::uint64_t* row = bits_.data() + i * words_;
        for (std::size_t word = 0; word < words_; ++word) {
            row[word] |= after_b[word];
        }
        row[b / kBits] |= std::uint64_t{1} << (b % kBits);
    }
}

Successors::Successors(std::size_t nodes, const std::vector<Arc>& arcs) : next_(nodes) {
    for (const auto& [a, b] : arcs) {
        next_[a].push_back(b);
    }
    for (auto& row : next_) {
        std::sort(row.begin(), row.end());
        row.erase(std::unique(row.begin(), row.end()), row.end());
    }
}

void Successors::add(NodeIndex a, NodeIndex b) {
    const auto place = std::lower_bound(next_[a].begin(), next_[a].end(), b);
    if (place == next_[a].end() || *place != b) {
        next_[a].insert(place, b);
    }
}

std::vector<std::vector<NodeIndex>> knots(std::size_t nodes, const std::vector<Arc>& arcs) {
    using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
    const Graph graph(arcs.begin(), arcs.end(), nodes);
    std::vector<std::size_t> component_of(nodes);
    const auto count =
        boost::strong_components(graph,
                                 boost::make_iterator_property_map(
                                     component_of.begin(), boost::get(boost::vertex_index, graph)));
    std::vector<std::vector<NodeIndex>> components(count);
    for (NodeIndex node = 0; node < nodes; ++node) {
        components[component_of[node]].push_back(node);
    }
    components.erase(
        std::remove_if(
            components.begin(), components.end(), [](const auto& one) { return one.size() < 2; }),
        components.end());
    std::sort(components.begin(), components.end());
    return components;
}

std::vector<NodeIndex> shortest_path(const Successors& successors, NodeIndex from, NodeIndex to) {
    std::vector<NodeIndex> previous(successors.nodes(), kNone);
    std::deque<NodeIndex> open{from};
    while (!open.empty()) {
        const NodeIndex node = open.front();
        open.pop_front();
        for (const NodeIndex successor : successors.of(node)) {
            if (successor == to) {
                return trace(previous, from, node, to);
            }
            if (successor != from && previous[successor] == kNone) {
                previous[successor] = node;
                open.push_back(successor);
            }
        }
    }
    return {};
}

std::vector<NodeIndex> shortest_cycle(std::size_t nodes,
                                      const std::vector<Arc>& arcs,
                                      const std::vector<NodeIndex>& knot) {
    const Successors successors(nodes, arcs);
    std::vector<NodeIndex> best;
    for (const NodeIndex start : knot) {
        std::vector<NodeIndex> cycle = shortest_path(successors, start, start);
        if (!cycle.empty() && (best.empty() || cycle.size() < best.size())) {
            best = std::move(cycle);
        }
    }
    return best;
}

std::vector<NodeIndex> sort_topologically(std::size_t nodes, const std::vector<Arc>& arcs) {
    const Successors successors(nodes, arcs);
    std::vector<std::size_t> waiting_for(nodes, 0);
    for (NodeIndex node = 0; node < nodes; ++node) {
        for (const NodeIndex successor : successors.of(node)) {
            ++waiting_for[successor];
        }
    }
    std::priority_queue<NodeIndex, std::vector<NodeIndex>, std::greater<>> ready;
    for (NodeIndex node = 0; node < nodes; ++node) {
        if (waiting_for[node] == 0) {
            ready.push(node);
        }
    }
    std::vector<NodeIndex> sorted;
    while (!ready.empty()) {
        const NodeIndex node = ready.top();
        ready.pop();
        sorted.push_back(node);
        for (const NodeIndex successor : successors.of(node)) {
            if (--waiting_for[successor] == 0) {
                ready.push(successor);
            }
        }
    }
    TOPRESS_ASSERT(sorted.size() == nodes);
    return sorted;
}

std::uint64_t count_orders(std::size_t nodes, const std::vector<Arc>& arcs) {
    if (nodes > kMostCounted) {
        return 0;
    }
    std::vector<std::size_t> before(nodes, 0);  // bit set of the nodes that must come first
    for (const auto& [a, b] : arcs) {
        before[b] |= std::size_t{1} << a;
    }
    // ways[s]: orders of the nodes in s that keep every arc; each ends in some node of s.
    std::vector<std::uint64_t> ways(std::size_t{1} << nodes, 0);
    ways[0] = 1;
    for (std::size_t placed = 0; placed + 1 < ways.size(); ++placed) {
        for (NodeIndex node = 0; ways[placed] != 0 && node < nodes; ++node) {
            const std::size_t bit = std::size_t{1} << node;
            if ((placed & bit) == 0 && (before[node] & ~placed) == 0) {
                ways[placed | bit] += ways[placed];
            }
        }
    }
    return ways.back();
}

}  // namespace topress::order
