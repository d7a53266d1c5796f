// Which relations of an order a drawing shows. For this folder.
#pragma once

#include "order/order.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace topress::order {

/// How two labels are linked in a drawing.
enum class LinkKind : std::uint8_t { Hard, Soft, Tie, SetAside, Broken };

/// A link between two positions of the sequence.
struct Link {
    std::size_t from = 0;
    std::size_t to = 0;
    LinkKind kind = LinkKind::Soft;
};

struct Links {
    std::vector<LinkKind> neighbours;  ///< between position i and i + 1
    std::vector<Link> arcs;            ///< all others, short before long
    std::size_t implied = 0;           ///< pairs whose relation follows from the drawn ones
};

[[nodiscard]] Links links_of(const Order& order);

/// Whether a forced order breaks the relation of this edge.
[[nodiscard]] bool is_broken(const Order& order, const Edge& edge);

}  // namespace topress::order
