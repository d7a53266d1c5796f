// Which orders are run, and how many stages that takes.
#include "explore/branches.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace topress::explore;

namespace {

const Sequence kFour{"d", "p", "q", "e"};

std::size_t stage_runs(const Modes& modes) {
    return make_tree(orders_of(modes, kFour)).stage_runs;
}

}  // namespace

TEST_SUITE("explore") {
    TEST_CASE("branches: all orders of four techniques take 64 stage runs and not 96") {
        CHECK(orders_of({.permutations = true}, kFour).size() == 24);
        CHECK(stage_runs({.permutations = true}) == 64);
    }

    TEST_CASE("branches: pairs take 16 stage runs, with the winner 18") {
        std::vector<Sequence> orders = orders_of({.pairs = true}, kFour);
        CHECK(orders.size() == 12);
        CHECK(make_tree(orders).stage_runs == 16);
        orders.push_back({"q", "d", "e", "p"});
        CHECK(make_tree(orders).stage_runs == 18);
    }

    TEST_CASE("branches: insertions take the orders of three and their pairs") {
        CHECK(orders_of({.insertions = true}, kFour).size() == 24 + 12);
        CHECK(stage_runs({.insertions = true}) == 40);
    }

    TEST_CASE("branches: every pair and every insertion is the beginning of some permutation") {
        CHECK(stage_runs({.pairs = true, .insertions = true, .permutations = true}) == 64);
    }

    TEST_CASE("branches: an order waits for one that runs what it begins with") {
        const std::vector<Sequence> orders =
            orders_of({.pairs = true, .permutations = true}, {"a", "b", "c"});
        const Tree tree = make_tree(orders);
        REQUIRE(orders.size() == 6 + 6);
        for (std::size_t i = 0; i < orders.size(); ++i) {
            CAPTURE(text_of(orders[i]));
            const std::size_t shared = orders[i].size() - tree.own_stages[i];
            REQUIRE(tree.waits_for[i].has_value() == (shared > 0));
            if (shared > 0) {
                const Sequence& other = orders[*tree.waits_for[i]];
                CHECK(*tree.waits_for[i] < i);
                REQUIRE(other.size() >= shared);
                CHECK(Sequence(other.begin(), other.begin() + std::ptrdiff_t(shared)) ==
                      Sequence(orders[i].begin(), orders[i].begin() + std::ptrdiff_t(shared)));
            }
        }
    }

    TEST_CASE("branches: orders come by the plan and each once") {
        const auto orders = orders_of({.insertions = true, .permutations = true}, {"z", "m", "a"});
        CHECK(orders.front() == Sequence{"z", "m", "a"});
        CHECK(orders[1] == Sequence{"z", "m"});
        CHECK(std::set<Sequence>(orders.begin(), orders.end()).size() == orders.size());
    }

    TEST_CASE("branches: names are harmless in a path") {
        CHECK(name_of({"a", "b.c", "d/../e"}) == "a-b.c-d_.._e");
    }
}
