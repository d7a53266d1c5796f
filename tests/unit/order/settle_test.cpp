// Soft edges: descending strength, what closes a cycle is set aside and reported.
#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

RuleSet rule_set(const std::string& before, const std::string& after) {
    RuleSet set{"rules", "", {}};
    set.rules.push_back(
        {before, after, "", "a rule", "", {Origin::RuleSet, "rules", "rules.toml", 3, 1}});
    return set;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: the stronger origin wins and the weaker is kept as skipped") {
        Request request = plain({"a", "b"});
        Origin winner = Origin::UserConfig;
        Origin loser = Origin::UserConfig;
        SUBCASE("configuration beats evidence") {
            loser = Origin::Evidence;
        }
        SUBCASE("configuration beats plugin") {
            loser = Origin::Plugin;
        }
        SUBCASE("evidence beats plugin") {
            winner = Origin::Evidence;
            loser = Origin::Plugin;
        }
        SUBCASE("plugin beats rule set") {
            winner = Origin::Plugin;
            loser = Origin::RuleSet;
        }
        request.user_edges = {edge_of(loser, "a", "b"), edge_of(winner, "b", "a")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        const Edge* used = find_edge(order, "b", "a");
        const Edge* skipped = find_edge(order, "a", "b");
        REQUIRE(used != nullptr);
        REQUIRE(skipped != nullptr);
        CHECK(used->used);
        CHECK_FALSE(skipped->used);
        CHECK(skipped->where.origin == loser);
        CHECK(contains(skipped->skipped_because, "b before a"));
    }

    TEST_CASE("order: hard beats soft of any origin") {
        Request request = plain({"a", "b"});
        request.known[1].before = {relation("a", Strength::Hard)};
        request.user_edges = {user_edge("a", "b", Strength::Soft)};
        CHECK(derive_order(request).sequence == Names{"b", "a"});
    }

    TEST_CASE("order: a skipped edge is reported with the whole path that opposes it") {
        Request request = plain({"a", "b", "c"});
        request.known[0].before = {relation("b", Strength::Hard, "org.a")};
        request.known[1].before = {relation("c", Strength::Soft, "org.b")};
        request.known[2].id = "c";
        request.rules = {rule_set("c", "a")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"a", "b", "c"});
        const auto found = with_code(order.diagnostics, "order/soft-edge-skipped");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == topress::Severity::Warning);
        CHECK(contains(found[0].message, "a before b (hard, plugin), b before c (soft, plugin)"));
        CHECK(found[0].notes.size() == 3);
        CHECK(found[0].location.file == "rules.toml");
        CHECK(found[0].location.line == 3);
    }

    TEST_CASE("order: edges that agree are all used") {
        Request request = plain({"a", "b"});
        request.known[1].before = {relation("a", Strength::Soft), relation("a", Strength::Hard)};
        request.user_edges = {user_edge("b", "a")};
        request.rules = {rule_set("b", "a")};
        const Order order = derive_order(request);
        REQUIRE(order.edges.size() == 4);
        for (const Edge& edge : order.edges) {
            CHECK(edge.used);
        }
        CHECK(order.edges[0].strength == Strength::Hard);
        CHECK(order.edges[1].where.origin == Origin::UserConfig);
        CHECK(order.edges[3].where.origin == Origin::RuleSet);
    }

    TEST_CASE("order: between equals of one origin the names decide and not the input order") {
        Request request = plain({"a", "b"});
        request.user_edges = {user_edge("b", "a", Strength::Soft, 1),
                              user_edge("a", "b", Strength::Soft, 2)};
        CHECK(derive_order(request).sequence == Names{"a", "b"});
        std::reverse(request.user_edges.begin(), request.user_edges.end());
        CHECK(derive_order(request).sequence == Names{"a", "b"});
    }

    TEST_CASE("order: among equals a direct edge goes before an inferred one") {
        // b before a directly; a before b only by way of an absent technique.
        Request request = plain({"a", "b"});
        TechniqueInfo middle = technique("middle");
        middle.after = {relation("a", Strength::Soft)};
        middle.before = {relation("b", Strength::Soft)};
        request.known.push_back(middle);
        request.known[1].before = {relation("a", Strength::Soft)};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        const Edge* inferred = find_edge(order, "a", "b");
        REQUIRE(inferred != nullptr);
        CHECK_FALSE(inferred->used);
    }

    TEST_CASE("order: the user turns a rule around for one label of a technique") {
        Request request;
        request.known = {technique("fine"), technique("coarse")};
        request.selected = {
            instance("fine"), instance("coarse"), instance("second_coarse", "coarse")};
        request.rules = {rule_set("coarse", "fine")};
        request.user_edges = {user_edge("fine", "second_coarse")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"coarse", "fine", "second_coarse"});
    }
}
