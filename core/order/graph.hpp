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
    explicit Reachability(std::size_t nodes);

    /// Whether a path of at least one arc leads from a to b.
    [[nodiscard]] bool reaches(NodeIndex a, NodeIndex b) const {
        return (bits_[a * words_ + b / kBits] >> (b % kBits) & 1U) != 0;
    }

    /// Adds an arc and all that follows from it. Cost: nothing when it is known; else n for every
    /// node that did not reach b yet and now does, 64 nodes a step.
    void add(NodeIndex a, NodeIndex b);

  private:
    static constexpr std::size_t kBits = 64;

    std::size_t nodes_;
    std::size_t words_;                ///< of one row
    std::vector<std::uint64_t> bits_;  ///< row by row
};

/// Who comes directly after whom, kept sorted while arcs are added.
class Successors {
  public:
    explicit Successors(std::size_t nodes, const std::vector<Arc>& arcs = {});

    void add(NodeIndex a, NodeIndex b);

    [[nodiscard]] const std::vector<NodeIndex>& of(NodeIndex node) const { return next_[node]; }

    [[nodiscard]] std::size_t nodes() const { return next_.size(); }

  private:
    std::vector<std::vector<NodeIndex>> next_;
};

/// The strongly connected components with more than one node, each sorted, sorted by first node.
[[nodiscard]] std::vector<std::vector<NodeIndex>> knots(std::size_t nodes,
                                                        const std::vector<Arc>& arcs);

/// A shortest path from `from` to `to`, both included; a cycle if they are equal; empty if there
/// is none. Of several the one with the smallest nodes.
[[nodiscard]] std::vector<NodeIndex> shortest_path(const Successors& successors,
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
