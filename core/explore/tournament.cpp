// Held and Karp's dynamic programme over subsets.
#include "explore/tournament.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

namespace topress::explore {
namespace {

/// What an order goes against; decided matches weigh more than any number of others.
struct Cost {
    double decided = 0;
    double undecided = 0;

    auto operator<=>(const Cost&) const = default;

    Cost operator+(const Cost& other) const {
        return {decided + other.decided, undecided + other.undecided};
    }
};

using Matrix = std::vector<std::vector<Cost>>;

/// [a][b]: the cost of a before b.
Matrix costs_of(std::size_t techniques, const std::vector<Match>& matches) {
    Matrix costs(techniques, std::vector<Cost>(techniques));
    for (const Match& match : matches) {
        Cost& against = costs[match.after][match.before];
        (match.decided ? against.decided : against.undecided) += match.difference;
    }
    return costs;
}

std::vector<std::size_t> exact_order(const Matrix& costs) {
    const std::size_t count = costs.size();
    const std::size_t sets = std::size_t{1} << count;
    constexpr double kEndless = std::numeric_limits<double>::infinity();
    std::vector<Cost> best(sets, {kEndless, kEndless});  // of what is yet to be placed: `set`
    std::vector<std::size_t> first(sets, 0);
    best[0] = {};
    for (std::size_t set = 1; set < sets; ++set) {
        for (std::size_t candidate = 0; candidate < count; ++candidate) {
            if ((set >> candidate & 1U) == 0) {
                continue;
            }
            const std::size_t rest = set & ~(std::size_t{1} << candidate);
            Cost cost = best[rest];
            for (std::size_t later = 0; later < count; ++later) {
                if ((rest >> later & 1U) != 0) {
                    cost = cost + costs[candidate][later];
                }
            }
            if (cost < best[set]) {
                best[set] = cost;
                first[set] = candidate;
            }
        }
    }
    std::vector<std::size_t> order;
    for (std::size_t set = sets - 1; set != 0; set &= ~(std::size_t{1} << order.back())) {
        order.push_back(first[set]);
    }
    return order;
}

/// Whoever costs least in front of all the others goes next.
std::vector<std::size_t> greedy_order(const Matrix& costs) {
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < costs.size(); ++i) {
        left.push_back(i);
    }
    std::vector<std::size_t> order;
    while (!left.empty()) {
        const auto cost_first = [&](std::size_t candidate) {
            Cost cost;
            for (const std::size_t other : left) {
                cost = cost + costs[candidate][other];
            }
            return cost;
        };
        const auto next = std::ranges::min_element(left, {}, cost_first);
        order.push_back(*next);
        left.erase(next);
    }
    return order;
}

/// The shortest way from `start` back to it along decided matches.
std::vector<std::size_t> cycle_through(std::size_t start,
                                       std::size_t techniques,
                                       const std::vector<Match>& matches) {
    std::vector<std::optional<std::size_t>> from(techniques);
    std::deque<std::size_t> queue{start};
    while (!queue.empty()) {
        const std::size_t at = queue.front();
        queue.pop_front();
        for (const Match& match : matches) {
            if (!match.decided || match.before != at) {
                continue;
            }
            if (match.after == start) {
                std::vector<std::size_t> cycle{at};
                while (cycle.back() != start) {
                    cycle.push_back(*from[cycle.back()]);
                }
                std::ranges::reverse(cycle);
                return cycle;
            }
            if (!from[match.after]) {
                from[match.after] = at;
                queue.push_back(match.after);
            }
        }
    }
    return {};
}

std::vector<std::size_t> shortest_cycle(std::size_t techniques, const std::vector<Match>& matches) {
    std::vector<std::size_t> shortest;
    for (std::size_t start = 0; start < techniques; ++start) {
        const auto cycle = cycle_through(start, techniques, matches);
        if (!cycle.empty() && (shortest.empty() || cycle.size() < shortest.size())) {
            shortest = cycle;
        }
    }
    return shortest;
}

}  // namespace

Ranking rank(std::size_t techniques, const std::vector<Match>& matches) {
    const Matrix costs = costs_of(techniques, matches);
    Ranking ranking;
    ranking.order = techniques <= kExactUpTo ? exact_order(costs) : greedy_order(costs);
    ranking.cycle = shortest_cycle(techniques, matches);
    const auto place = [&](std::size_t technique) {
        return std::ranges::find(ranking.order, technique) - ranking.order.begin();
    };
    for (const Match& match : matches) {
        if (match.difference > 0 && place(match.before) > place(match.after)) {
            ranking.violated.push_back(match);
        }
    }
    return ranking;
}

}  // namespace topress::explore
