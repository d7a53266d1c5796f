// Small directed graphs over 0..n-1: reachability, cycles, topological order, number of orders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace topress::order {

using NodeIndex = std::size_t;
using Arc = std::pair<NodeIndex, NodeIndex>;  ///< first goes before second

/// Which node comes before which, kept closed while arcs are added.
class Reachability {
  public:
    explicit Reachability(std::size_t nodes) : rows_(nodes, std::vector<bool>(nodes, false)) {}

    /// Whether a path of at least one arc leads from a to b.
    [[nodiscard]] bool reaches(NodeIndex a, NodeIndex b) const { return rows_[a][b]; }

    /// Adds an arc and all that follows from it. Cost: n^2.
    void add(NodeIndex a, NodeIndex b);

  private:
    std::vector<std::vector<bool>> rows_;
};

/// The strongly connected components with more than one node, each sorted, sorted by first node.
[[nodiscard]] std::vector<std::vector<NodeIndex>> knots(std::size_t nodes,
                                                        const std::vector<Arc>& arcs);

/// A shortest path from `from` to `to`, both included; a cycle if they are equal; empty if there
/// is none. Of several the one with the smallest nodes.
[[nodiscard]] std::vector<NodeIndex> shortest_path(std::size_t nodes,
                                                   const std::vector<Arc>& arcs,
                                                   NodeIndex from,
                                                   NodeIndex to);

/// The shortest cycle through nodes of `knot`, first node repeated at the end; of several the one
/// with the smallest nodes.
[[nodiscard]] std::vector<NodeIndex> shortest_cycle(std::size_t nodes,
                                                    const std::vector<Arc>& arcs,
                                                    const std::vector<NodeIndex>& knot);

/// Kahn's topological order that always takes the smallest node that is free.
/// Requires: no cycle.
[[nodiscard]] std::vector<NodeIndex> sort_topologically(std::size_t nodes,
                                                        const std::vector<Arc>& arcs);

/// How many orders keep every arc; 0 if there is a cycle or more than kMostCounted nodes.
/// Cost: 2^nodes steps and as many 8-byte counters.
[[nodiscard]] std::uint64_t count_orders(std::size_t nodes, const std::vector<Arc>& arcs);

inline constexpr std::size_t kMostCounted = 20;  ///< 20! still fits 64 bits

}  // namespace topress::order
