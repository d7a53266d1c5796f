// Random constraint sets against brute force over all permutations of up to seven techniques.
#include "builders.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

constexpr int kCases = 10000;
constexpr int kMostNodes = 7;

using Random = std::mt19937;

int draw(Random& random, int low, int high) {
    // Not std::uniform_int_distribution: its results differ between standard libraries.
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

std::string name_of(int i) {
    return std::string(1, static_cast<char>('a' + i));
}

/// Random edges between n techniques; all are direct, so brute force sees the same edges.
Request random_request(Random& random) {
    const int nodes = draw(random, 2, kMostNodes);
    Names ids;
    for (int i = 0; i < nodes; ++i) {
        ids.push_back(name_of(i));
    }
    Request request = plain(ids);
    for (TechniqueInfo& info : request.known) {
        info.rank = draw(random, 0, 2);
    }
    const int edges = draw(random, 0, 2 * nodes);
    for (int i = 0; i < edges; ++i) {
        const int from = draw(random, 0, nodes - 1);
        const int to = (from + draw(random, 1, nodes - 1)) % nodes;
        const auto origin = static_cast<Origin>(draw(random, 0, 3));
        const bool hard = draw(random, 0, 2) == 0;
        request.user_edges.push_back(
            edge_of(origin, name_of(from), name_of(to), hard ? Strength::Hard : Strength::Soft));
    }
    return request;
}

/// Gives every technique a random granularity and resource, and adds the same rules in two sets.
void add_rules(Request& request, Random& random) {
    const Names grains = {"layer", "channel", "bit"};
    for (TechniqueInfo& info : request.known) {
        info.granularity = grains[random() % grains.size()];
        info.writes = {draw(random, 0, 1) == 0 ? "weights" : "exits"};
    }
    for (const char* name : {"one", "two"}) {
        RuleSet set{name, "", {}};
        for (std::size_t i = 1; i < grains.size(); ++i) {
            set.rules.push_back({"granularity:" + grains[i - 1],
                                 "granularity:" + grains[i],
                                 "",
                                 "coarse first",
                                 "",
                                 {Origin::RuleSet, name, "rules.toml", static_cast<int>(i), 1}});
        }
        request.rules.push_back(set);
    }
}

bool keeps(const Names& sequence, const std::string& before, const std::string& after) {
    const auto at = [&](const std::string& name) {
        return std::find(sequence.begin(), sequence.end(), name);
    };
    return at(before) < at(after);
}

bool keeps_hard(const Request& request, const Names& sequence) {
    return std::all_of(
        request.user_edges.begin(), request.user_edges.end(), [&](const DeclaredEdge& edge) {
            return edge.strength == Strength::Soft || keeps(sequence, edge.before, edge.after);
        });
}

bool keeps_used(const Order& order, const Names& sequence) {
    return std::all_of(order.edges.begin(), order.edges.end(), [&](const Edge& edge) {
        return !edge.used || keeps(sequence, edge.before, edge.after);
    });
}

Names sorted_names(const Request& request) {
    Names names;
    for (const Instance& each : request.selected) {
        names.push_back(each.label);
    }
    std::sort(names.begin(), names.end());
    return names;
}

template <typename Predicate>
std::uint64_t count_permutations(const Request& request, Predicate wanted) {
    Names names = sorted_names(request);
    std::uint64_t count = 0;
    do {
        count += wanted(names) ? 1U : 0U;
    } while (std::next_permutation(names.begin(), names.end()));
    return count;
}

bool has_hard(const Request& request, const std::string& before, const std::string& after) {
    return std::any_of(
        request.user_edges.begin(), request.user_edges.end(), [&](const DeclaredEdge& edge) {
            return edge.strength == Strength::Hard && edge.before == before && edge.after == after;
        });
}

/// The length of the shortest cycle of hard edges by trying every sequence of distinct names;
/// 0 if there is none.
std::size_t girth(const Request& request) {
    Names names = sorted_names(request);
    std::size_t best = 0;
    do {
        std::size_t length = 1;
        while (length < names.size() && has_hard(request, names[length - 1], names[length])) {
            ++length;
        }
        for (std::size_t last = 1; last < length; ++last) {
            if (has_hard(request, names[last], names[0]) && (best == 0 || last + 1 < best)) {
                best = last + 1;
            }
        }
    } while (std::next_permutation(names.begin(), names.end()));
    return best;
}

/// Techniques that wait for each other according to the first cycle that was reported.
std::size_t smallest_reported(const Diagnostics& diagnostics) {
    std::size_t smallest = 0;
    for (const Diagnostic& finding : with_code(diagnostics, "order/cycle")) {
        const auto digits = finding.message.substr(finding.message.find(", ") + 2);
        const auto length = static_cast<std::size_t>(std::stoul(digits));
        smallest = smallest == 0 ? length : std::min(smallest, length);
    }
    return smallest;
}

void shuffle(Request& request, Random& random) {
    const auto mix = [&](auto& items) {
        for (std::size_t i = items.size(); i > 1; --i) {
            std::swap(items[i - 1], items[random() % i]);
        }
    };
    mix(request.selected);
    mix(request.known);
    mix(request.user_edges);
    mix(request.rules);
}

std::string render_all(const Diagnostics& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) {
        text += topress::render(diagnostic);
    }
    return text;
}

/// Everything a user sees of an outcome, as one text.
std::string outcome(const Request& request) {
    try {
        const Order order = derive_order(request);
        std::string text;
        for (const std::string& label : order.sequence) {
            text += label + " ";
        }
        for (const Edge& edge : order.edges) {
            text += edge.before + edge.after + (edge.used ? "+" : "-") + edge.skipped_because;
        }
        return text + render_all(order.diagnostics);
    } catch (const topress::DiagnosticError& error) {
        return render_all(error.diagnostics());
    }
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: random sets - fails exactly if no permutation keeps the hard edges") {
        Random random(1);
        int failures = 0;
        for (int i = 0; i < kCases; ++i) {
            CAPTURE(i);
            const Request request = random_request(random);
            const bool possible = count_permutations(request, [&](const Names& names) {
                                      return keeps_hard(request, names);
                                  }) > 0;
            const bool failed = !failure(request).empty();
            REQUIRE(failed == !possible);
            failures += failed ? 1 : 0;
        }
        CHECK(failures > kCases / 20);  // both outcomes are really met
        CHECK(failures < kCases / 20 * 19);
    }

    TEST_CASE("order: random sets - the result keeps every used edge and counts the alternatives") {
        Random random(2);
        for (int i = 0; i < kCases; ++i) {
            CAPTURE(i);
            const Request request = random_request(random);
            if (!failure(request).empty()) {
                continue;
            }
            const Order order = derive_order(request);
            REQUIRE(keeps_used(order, order.sequence));
            REQUIRE(order.legal_orders == count_permutations(request, [&](const Names& names) {
                        return keeps_used(order, names);
                    }));
        }
    }

    TEST_CASE("order: random sets - a skipped edge contradicts edges at least as strong") {
        Random random(3);
        int skipped = 0;
        for (int i = 0; i < kCases; ++i) {
            CAPTURE(i);
            const Request request = random_request(random);
            if (!failure(request).empty()) {
                continue;
            }
            const Order order = derive_order(request);
            for (std::size_t e = 0; e < order.edges.size(); ++e) {
                const Edge& edge = order.edges[e];
                if (edge.used) {
                    continue;
                }
                ++skipped;
                REQUIRE(edge.strength == Strength::Soft);
                // No permutation keeps it together with the used edges listed before it.
                Order stronger = order;
                stronger.edges.resize(e);
                stronger.edges.push_back(edge);
                stronger.edges.back().used = true;
                REQUIRE(count_permutations(request, [&](const Names& names) {
                            return keeps_used(stronger, names);
                        }) == 0);
            }
        }
        CHECK(skipped > kCases / 20);
    }

    TEST_CASE("order: random sets - the reported cycle is a smallest one") {
        Random random(4);
        int cycles = 0;
        for (int i = 0; i < kCases; ++i) {
            CAPTURE(i);
            const Request request = random_request(random);
            const std::size_t expected = girth(request);
            REQUIRE(smallest_reported(failure(request)) == expected);
            cycles += expected > 0 ? 1 : 0;
        }
        CHECK(cycles > kCases / 20);
    }

    TEST_CASE("order: random sets - the outcome is the same text for every input order") {
        Random random(5);
        for (int i = 0; i < kCases; ++i) {
            CAPTURE(i);
            Request request = random_request(random);
            add_rules(request, random);
            const auto absent = static_cast<std::size_t>(draw(random, 0, 2));
            request.selected.resize(std::max(request.selected.size(), absent) - absent);
            const std::string expected = outcome(request);
            for (int repeat = 0; repeat < 4; ++repeat) {
                shuffle(request, random);
                REQUIRE(outcome(request) == expected);
            }
        }
    }

    TEST_CASE("order: random sets - the outcome is the same text for every permutation") {
        Random random(7);
        for (int i = 0; i < kCases / 50; ++i) {
            CAPTURE(i);
            Request request = random_request(random);
            add_rules(request, random);
            request.selected.resize(std::min<std::size_t>(request.selected.size(), 5));
            const auto by_label = [](const Instance& a, const Instance& b) {
                return a.label < b.label;
            };
            std::sort(request.selected.begin(), request.selected.end(), by_label);
            const std::string expected = outcome(request);
            do {
                REQUIRE(outcome(request) == expected);
            } while (
                std::next_permutation(request.selected.begin(), request.selected.end(), by_label));
        }
    }

    TEST_CASE("order: random sets - an absent technique turns no pair around") {
        // What holds between two techniques with everybody present holds if the others are absent.
        Random random(6);
        for (int i = 0; i < kCases; ++i) {
            CAPTURE(i);
            Request request = random_request(random);
            for (DeclaredEdge& edge : request.user_edges) {
                edge.strength = Strength::Hard;
            }
            if (!failure(request).empty()) {
                continue;
            }
            const Order full = derive_order(request);
            Request pair = request;
            pair.selected = {instance("a"), instance("b")};
            const Order reduced = derive_order(pair);
            for (const Names& ends : {Names{"a", "b"}, Names{"b", "a"}}) {
                const bool forced_in_full =
                    count_permutations(request, [&](const Names& names) {
                        return keeps_used(full, names) && keeps(names, ends[1], ends[0]);
                    }) == 0;
                REQUIRE(forced_in_full == (find_edge(reduced, ends[0], ends[1]) != nullptr));
            }
        }
    }
}
