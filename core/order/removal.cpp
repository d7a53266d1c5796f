// Leaves out one technique after the other and derives the order again.
#include "order/removal.hpp"

#include "order/graph.hpp"

#include <algorithm>

namespace topress::order {

namespace {

NodeIndex position(const std::vector<std::string>& sequence, const std::string& label) {
    return static_cast<NodeIndex>(std::ranges::find(sequence, label) - sequence.begin());
}

/// Who is before whom by used relations, over the positions of `sequence`.
Reachability related(const std::vector<std::string>& sequence, const Order& order) {
    Reachability reachability(sequence.size());
    for (const Edge& edge : order.edges) {
        if (edge.used) {
            reachability.add(position(sequence, edge.before), position(sequence, edge.after));
        }
    }
    return reachability;
}

Request without(const Request& request, const std::string& label) {
    Request rest = request;
    std::erase_if(rest.selected, [&](const Instance& each) { return each.label == label; });
    if (rest.forced) {
        std::erase(*rest.forced, label);
    }
    rest.count_orders = false;
    return rest;
}

void compare(const Order& whole, const Order& rest, Removal& removal) {
    const Reachability before = related(whole.sequence, whole);
    const Reachability after = related(rest.sequence, rest);
    for (NodeIndex i = 0; i < whole.sequence.size(); ++i) {
        for (NodeIndex j = i + 1; j < whole.sequence.size(); ++j) {
            const NodeIndex a = position(rest.sequence, whole.sequence[i]);
            const NodeIndex b = position(rest.sequence, whole.sequence[j]);
            if (a == rest.sequence.size() || b == rest.sequence.size()) {
                continue;
            }
            if (b < a) {
                removal.turned.emplace_back(whole.sequence[i], whole.sequence[j]);
            }
            const bool was_related = before.reaches(i, j) || before.reaches(j, i);
            if (was_related && !after.reaches(a, b) && !after.reaches(b, a)) {
                removal.freed.emplace_back(whole.sequence[i], whole.sequence[j]);
            }
        }
    }
}

Removal remove(const Request& request, const Order& order, const std::string& label) {
    Removal removal;
    removal.label = label;
    const Request rest = without(request, label);
    if (rest.selected.empty()) {
        return removal;
    }
    try {
        const Order derived = derive_order(rest);
        removal.sequence = derived.sequence;
        compare(order, derived, removal);
    } catch (const DiagnosticError& error) {
        removal.refusal = error.diagnostics().front().message;
    }
    return removal;
}

std::string pairs_text(const std::vector<LabelPair>& pairs) {
    std::string text;
    for (const auto& [a, b] : pairs) {
        text += (text.empty() ? "" : "; ") + a + " and " + b;
    }
    return text;
}

}  // namespace

std::optional<std::vector<Removal>> find_removals(const Request& request, const Order& order) {
    if (order.sequence.size() > kMostRemovals) {
        return std::nullopt;
    }
    std::vector<Removal> removals;
    for (const std::string& label : order.sequence) {
        removals.push_back(remove(request, order, label));
    }
    return removals;
}

std::string describe(const Removal& removal, const std::string& arrow) {
    if (!removal.refusal.empty()) {
        return "refused: " + removal.refusal;
    }
    if (removal.sequence.empty()) {
        return "nothing is left to do";
    }
    constexpr std::size_t kMostListed = 8;
    std::string text;
    if (removal.sequence.size() > kMostListed && !removal.changes_order()) {
        text = "the other " + std::to_string(removal.sequence.size()) + " as they are";
    } else {
        for (const std::string& label : removal.sequence) {
            text += (text.empty() ? "" : arrow) + label;
        }
    }
    text += removal.changes_order() ? " (turned round: " + pairs_text(removal.turned)
                                    : std::string(" (unchanged");
    if (!removal.freed.empty()) {
        text += "; nothing relates any more: " + pairs_text(removal.freed);
    }
    return text + ")";
}

}  // namespace topress::order
