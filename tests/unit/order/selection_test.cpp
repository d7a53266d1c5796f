// Presence: unknown techniques, labels, requires and conflicts.
#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

TEST_SUITE("order") {
    TEST_CASE("order: an unknown technique is an error with the nearest id") {
        Request request = plain({"pruning.channel"});
        request.selected.push_back(instance("other", "pruning.chanel"));
        const auto found = with_code(failure(request), "order/unknown-technique");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].message, "'pruning.chanel'"));
        CHECK(contains(found[0].hint, "'pruning.channel'"));
    }

    TEST_CASE("order: a label given twice is an error") {
        Request request = plain({"a", "b"});
        request.selected[1].label = "a";
        CHECK(with_code(failure(request), "order/duplicate-label").size() == 1);
    }

    TEST_CASE("order: a missing requirement names who could meet it") {
        Request request = plain({"a"});
        request.known.push_back(technique("teacher.big"));
        request.known[1].provides = {"teacher"};
        SUBCASE("as a capability") {
            request.known[0].requires_ = {"capability:teacher"};
        }
        SUBCASE("as an id") {
            request.known[0].requires_ = {"teacher.big"};
        }
        const auto found = with_code(failure(request), "order/requires-missing");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].hint, "'teacher.big'"));
        request.selected.push_back(instance("teacher.big"));
        CHECK(failure(request).empty());
    }

    TEST_CASE("order: a technique does not meet its own requirement for a capability") {
        Request request = plain({"a"});
        request.known[0].provides = {"x"};
        request.known[0].requires_ = {"capability:x"};
        CHECK(with_code(failure(request), "order/requires-missing").size() == 1);
    }

    TEST_CASE("order: a conflict is an error from either side") {
        Request request = plain({"a", "b"});
        request.known[1].provides = {"x"};
        SUBCASE("by id") {
            request.known[0].conflicts = {"b"};
        }
        SUBCASE("by capability") {
            request.known[0].conflicts = {"capability:x"};
        }
        SUBCASE("by the other one") {
            request.known[1].conflicts = {"a"};
        }
        CHECK(with_code(failure(request), "order/conflict").size() == 1);
    }

    TEST_CASE("order: a technique and one that replaces it cannot both be selected") {
        Request request = plain({"new", "old"});
        CHECK(failure(request).empty());
        request.known[0].replaces = {"old"};
        const auto found = with_code(failure(request), "order/conflict");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].message, "'new' cannot be combined with 'old'"));
        CHECK(contains(found[0].message, "it replaces 'old'"));
    }

    TEST_CASE("order: what is said of a technique holds for the one that replaces it") {
        Request request = plain({"a", "new", "z"});
        request.known[1].replaces = {"old"};
        request.known[0].after = {relation("old", Strength::Hard)};
        request.known[2].requires_ = {"old"};
        SUBCASE("where the replaced one is not installed") {}
        SUBCASE("where it is, but not selected") {
            request.known.push_back(technique("old"));
        }
        CHECK(failure(request).empty());
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"new", "a", "z"});
        CHECK(with_code(order.diagnostics, "order/unknown-reference").empty());
        request.known[0].conflicts = {"old"};
        CHECK(with_code(failure(request), "order/conflict").size() == 1);
    }

    TEST_CASE("order: a technique that conflicts with its own id cannot appear twice") {
        Request request;
        request.known = {technique("t")};
        request.known[0].conflicts = {"t"};
        request.selected = {instance("one", "t")};
        CHECK(failure(request).empty());
        request.selected.push_back(instance("two", "t"));
        CHECK(with_code(failure(request), "order/conflict").size() == 2);
    }

    TEST_CASE("order: requires and conflicts say nothing about order") {
        Request request = plain({"a", "b"});
        request.known[0].requires_ = {"b"};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"a", "b"});
        CHECK(order.edges.empty());
    }

    TEST_CASE("order: all mistakes of the selection are reported at once") {
        Request request = plain({"a", "b"});
        request.known[0].requires_ = {"nothing"};
        request.known[1].conflicts = {"a"};
        request.selected.push_back(instance("c", "unheard.of"));
        request.forced = Names{"a", "b"};
        const auto found = failure(request);
        CHECK(found.size() == 4);
    }
}
