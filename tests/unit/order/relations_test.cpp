// Which edges relations yield: one-sided, by trait, through absent techniques, by label.
#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

TEST_SUITE("order") {
    TEST_CASE("order: one side's declaration is enough") {
        Request request = plain({"a", "b"});
        SUBCASE("the later one says after") {
            request.known[0].after = {relation("b", Strength::Hard)};
        }
        SUBCASE("the earlier one says before") {
            request.known[1].before = {relation("a", Strength::Hard)};
        }
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        REQUIRE(order.edges.size() == 1);
        CHECK(order.edges[0].before == "b");
        CHECK(order.edges[0].after == "a");
    }

    TEST_CASE("order: a relation to a capability or trait means every technique that has it") {
        Request request = plain({"a", "b", "c"});
        request.known[1].provides = {"heads"};
        request.known[1].granularity = "layer";
        request.known[1].kind = "dynamic";
        request.known[2] = request.known[1];
        request.known[2].id = "c";
        SUBCASE("capability") {
            request.known[0].after = {relation("capability:heads", Strength::Soft)};
        }
        SUBCASE("granularity") {
            request.known[0].after = {relation("granularity:layer", Strength::Soft)};
        }
        SUBCASE("kind") {
            request.known[0].after = {relation("kind:dynamic", Strength::Soft)};
        }
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "c", "a"});
        CHECK(order.edges.size() == 2);
    }

    TEST_CASE("order: a relation to a trait the technique has itself leaves it out") {
        Request request = plain({"a", "b"});
        request.known[0].after = {relation("kind:static", Strength::Hard)};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        CHECK(order.edges.size() == 1);
    }

    TEST_CASE("order: a relation holds through an absent technique and names it") {
        Request request = plain({"a", "b"});
        TechniqueInfo middle = technique("middle");
        middle.before = {relation("a", Strength::Hard, "org.middle")};
        request.known.push_back(middle);
        request.known[1].before = {relation("middle", Strength::Hard, "org.b")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        const Edge* edge = find_edge(order, "b", "a");
        REQUIRE(edge != nullptr);
        CHECK(edge->strength == Strength::Hard);
        CHECK(edge->through == Names{"middle"});
        CHECK(edge->steps.size() == 2);
    }

    TEST_CASE("order: an inferred relation is as weak as its weakest part") {
        Request request = plain({"a", "b"});
        TechniqueInfo middle = technique("middle");
        middle.before = {relation("a", Strength::Soft, "org.middle")};
        request.known.push_back(middle);
        request.known[1].before = {relation("middle", Strength::Hard, "org.b")};
        const Order order = derive_order(request);
        const Edge* edge = find_edge(order, "b", "a");
        REQUIRE(edge != nullptr);
        CHECK(edge->strength == Strength::Soft);
        CHECK(edge->where.declared_by == "org.middle");
    }

    TEST_CASE("order: a relation holds through several absent techniques") {
        Request request = plain({"a", "b"});
        TechniqueInfo one = technique("one");
        TechniqueInfo two = technique("two");
        one.before = {relation("two", Strength::Soft)};
        two.before = {relation("a", Strength::Soft)};
        request.known[1].before = {relation("one", Strength::Soft)};
        request.known.push_back(two);
        request.known.push_back(one);
        const Order order = derive_order(request);
        const Edge* edge = find_edge(order, "b", "a");
        REQUIRE(edge != nullptr);
        CHECK(edge->through == Names{"one", "two"});
    }

    TEST_CASE("order: of several ways through absent techniques the strongest counts") {
        Request request = plain({"a", "b"});
        TechniqueInfo shortcut = technique("shortcut");
        TechniqueInfo one = technique("one");
        TechniqueInfo two = technique("two");
        shortcut.before = {relation("a", Strength::Soft)};
        one.before = {relation("two", Strength::Hard)};
        two.before = {relation("a", Strength::Hard)};
        request.known[1].before = {relation("shortcut", Strength::Soft),
                                   relation("one", Strength::Hard)};
        request.known.insert(request.known.end(), {shortcut, one, two});
        const Order order = derive_order(request);
        REQUIRE(order.edges.size() == 1);
        CHECK(order.edges[0].strength == Strength::Hard);
        CHECK(order.edges[0].through == Names{"one", "two"});
    }

    TEST_CASE("order: nothing is inferred between two labels of one technique") {
        Request request;
        request.known = {technique("t"), technique("one"), technique("two")};
        request.known[0].before = {relation("one", Strength::Soft)};
        request.known[1].before = {relation("two", Strength::Soft)};
        request.known[2].before = {relation("t", Strength::Soft)};
        request.selected = {instance("first", "t"), instance("second", "t")};
        CHECK(derive_order(request).edges.empty());
    }

    TEST_CASE("order: nothing is inferred through a selected technique") {
        Request request = plain({"a", "b", "c"});
        request.known[2].before = {relation("b", Strength::Soft)};
        request.known[1].before = {relation("a", Strength::Soft)};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"c", "b", "a"});
        CHECK(order.edges.size() == 2);
    }

    TEST_CASE("order: a rule continues through an absent technique like a declaration") {
        Request request = plain({"a", "b"});
        request.known[1].before = {relation("middle", Strength::Soft)};
        TechniqueInfo middle = technique("middle", "static", "channel");
        request.known.push_back(middle);
        request.known[0].granularity = "bit";
        RuleSet rules{"r", "", {}};
        rules.rules.push_back({"granularity:channel",
                               "granularity:bit",
                               "",
                               "coarse first",
                               "",
                               {Origin::RuleSet, "r", "r.toml", 1, 1}});
        request.rules = {rules};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a"});
        const Edge* edge = find_edge(order, "b", "a");
        REQUIRE(edge != nullptr);
        CHECK(edge->where.origin == Origin::RuleSet);
    }

    TEST_CASE("order: what an absent technique itself sets aside is not carried on") {
        // "middle before a" (plugin) stands against "a before middle" (configuration).
        Request request = plain({"a", "b"});
        TechniqueInfo middle = technique("middle");
        middle.before = {relation("a", Strength::Soft)};
        request.known.push_back(middle);
        request.known[1].before = {relation("middle", Strength::Soft)};
        request.user_edges = {user_edge("a", "middle")};
        const Order order = derive_order(request);
        CHECK(find_edge(order, "b", "a") == nullptr);
    }

    TEST_CASE("order: a direct edge makes a weaker inferred one needless") {
        Request request = plain({"a", "b"});
        TechniqueInfo middle = technique("middle");
        middle.before = {relation("a", Strength::Soft)};
        request.known.push_back(middle);
        request.known[1].before = {relation("middle", Strength::Soft),
                                   relation("a", Strength::Soft)};
        const Order order = derive_order(request);
        REQUIRE(order.edges.size() == 1);
        CHECK(order.edges[0].through.empty());
    }

    TEST_CASE("order: two labels of one technique are not ordered by rules or declarations") {
        Request request;
        request.known = {technique("t"), technique("u")};
        request.known[0].before = {relation("u", Strength::Hard), relation("t", Strength::Hard)};
        request.selected = {instance("second", "t"), instance("first", "t"), instance("u")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"first", "second", "u"});
        CHECK(order.edges.size() == 2);
    }

    TEST_CASE("order: the user orders two labels of one technique") {
        Request request;
        request.known = {technique("t")};
        request.selected = {instance("first", "t"), instance("second", "t")};
        SUBCASE("by an edge of the configuration") {
            request.user_edges = {user_edge("second", "first")};
        }
        SUBCASE("by a relation of the instance to a label") {
            request.selected[0].after = {user_relation("second")};
        }
        SUBCASE("by a relation of the instance to the technique id") {
            request.selected[0].after = {user_relation("t")};
        }
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"second", "first"});
        CHECK(order.edges.size() == 1);
    }

    TEST_CASE("order: a user edge by technique id means every label of it") {
        Request request;
        request.known = {technique("t"), technique("a")};
        request.selected = {instance("first", "t"), instance("second", "t"), instance("a")};
        request.user_edges = {user_edge("t", "a")};
        CHECK(derive_order(request).sequence == Names{"first", "second", "a"});
        CHECK(derive_order(request).edges.size() == 2);
    }

    TEST_CASE("order: a user edge by traits does not order labels of one technique") {
        Request request;
        request.known = {technique("t"), technique("a")};
        request.selected = {instance("first", "t"), instance("second", "t"), instance("a")};
        request.user_edges = {user_edge("t", "kind:static")};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"first", "second", "a"});
        CHECK(order.edges.size() == 2);
    }

    TEST_CASE("order: an unknown reference warns with the nearest name") {
        Request request = plain({"pruning.channel", "qat"});
        SUBCASE("declared by a plugin") {
            request.known[1].after = {relation("pruning.chanel", Strength::Soft)};
        }
        SUBCASE("declared in the configuration") {
            request.user_edges = {user_edge("pruning.chanel", "qat")};
        }
        SUBCASE("declared by an instance") {
            request.selected[1].after = {user_relation("pruning.chanel")};
        }
        const auto found = with_code(derive_order(request).diagnostics, "order/unknown-reference");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == topress::Severity::Warning);
        CHECK(contains(found[0].hint, "'pruning.channel'"));
        CHECK(found[0].location.line == 1);
    }

    TEST_CASE("order: a misspelt trait warns and a known trait nobody has does not") {
        Request request = plain({"a"});
        request.known[0].after = {relation("granularity:chanel", Strength::Soft),
                                  relation("granularity:weight", Strength::Soft)};
        const auto found = with_code(derive_order(request).diagnostics, "order/unknown-reference");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].hint, "'granularity:channel'"));
    }

    TEST_CASE("order: a reference to an installed technique outside the run is information") {
        Request request = plain({"a"});
        request.known.push_back(technique("absent"));
        request.known[0].after = {relation("absent", Strength::Hard)};
        const auto& diagnostics = derive_order(request).diagnostics;
        REQUIRE(diagnostics.size() == 1);
        CHECK(diagnostics[0].code == "order/reference-not-selected");
        CHECK(diagnostics[0].severity == topress::Severity::Info);
    }

    TEST_CASE("order: references of techniques outside the run are not reported") {
        Request request = plain({"a"});
        request.known.push_back(technique("absent"));
        request.known[1].after = {relation("nowhere", Strength::Hard)};
        CHECK(derive_order(request).diagnostics.empty());
    }

    TEST_CASE("order: a relation to itself is reported and has no effect") {
        Request request = plain({"a", "b"});
        request.user_edges = {user_edge("a", "a", Strength::Hard)};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"a", "b"});
        CHECK(with_code(order.diagnostics, "order/self-reference").size() == 1);
    }

    TEST_CASE("order: ties go by rank then technique id then label") {
        Request request;
        request.known = {technique("c"), technique("b"), technique("a")};
        request.known[2].rank = 5;
        request.selected = {
            instance("x", "a"), instance("y2", "b"), instance("y1", "b"), instance("0", "c")};
        CHECK(derive_order(request).sequence == Names{"y1", "y2", "0", "x"});
    }

    TEST_CASE("order: nothing selected gives an empty order") {
        Request request;
        request.known = {technique("a")};
        const Order order = derive_order(request);
        CHECK(order.sequence.empty());
        CHECK(order.legal_orders == 1);
    }
}
