// One order out of pairwise results.
#include "explore/tournament.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace topress::explore;

namespace {

/// (decided, undecided) sums of the matches an order goes against.
std::pair<double, double> cost(const std::vector<std::size_t>& order,
                               const std::vector<Match>& matches) {
    std::pair<double, double> sum;
    for (const Match& match : matches) {
        const auto before = std::ranges::find(order, match.before);
        const auto after = std::ranges::find(order, match.after);
        if (before > after) {
            (match.decided ? sum.first : sum.second) += match.difference;
        }
    }
    return sum;
}

std::pair<double, double> least_cost(std::size_t count, const std::vector<Match>& matches) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    auto least = cost(order, matches);
    while (std::ranges::next_permutation(order).found) {
        least = std::min(least, cost(order, matches));
    }
    return least;
}

}  // namespace

TEST_SUITE("explore") {
    TEST_CASE("tournament: decided matches without a cycle give their topological order") {
        const Ranking found = rank(3, {{2, 1, 0.01, true}, {1, 0, 0.02, true}, {0, 2, 0.5, false}});
        CHECK(found.order == std::vector<std::size_t>{2, 1, 0});
        CHECK(found.cycle.empty());
        REQUIRE(found.violated.size() == 1);
        CHECK_FALSE(found.violated[0].decided);
    }

    TEST_CASE("tournament: in a cycle the smallest difference gives way and the cycle is named") {
        const Ranking found = rank(3, {{0, 1, 0.03, true}, {1, 2, 0.02, true}, {2, 0, 0.01, true}});
        CHECK(found.order == std::vector<std::size_t>{0, 1, 2});
        CHECK(found.cycle == std::vector<std::size_t>{0, 1, 2});
        REQUIRE(found.violated.size() == 1);
        CHECK(found.violated[0].before == 2);
    }

    TEST_CASE("tournament: nothing measured leaves the given sequence") {
        CHECK(rank(3, {}).order == std::vector<std::size_t>{0, 1, 2});
    }

    TEST_CASE("tournament: as good as the best of all orders") {
        std::mt19937 random(11);
        for (int round = 0; round < 200; ++round) {
            const std::size_t count = 2 + random() % 5;
            std::vector<Match> matches;
            for (std::size_t a = 0; a < count; ++a) {
                for (std::size_t b = a + 1; b < count; ++b) {
                    // eighths add up without rounding
                    const Match match{a, b, double(random() % 32) / 8, random() % 2 == 0};
                    matches.push_back(
                        random() % 2 == 0 ? match : Match{b, a, match.difference, match.decided});
                }
            }
            CAPTURE(round);
            CHECK(cost(rank(count, matches).order, matches) == least_cost(count, matches));
        }
    }

    TEST_CASE("tournament: many techniques are ordered too") {
        std::vector<Match> matches;
        for (std::size_t a = 0; a < 12; ++a) {
            for (std::size_t b = a + 1; b < 12; ++b) {
                matches.push_back({b, a, 0.1, true});
            }
        }
        const Ranking found = rank(12, matches);
        CHECK(found.order.front() == 11);
        CHECK(found.order.back() == 0);
        CHECK(found.violated.empty());
    }
}
