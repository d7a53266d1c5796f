// A forced order: complete, legal, or overridden and listed loudly.
#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

/// a before b (hard) and b before c (soft).
Request chain() {
    Request request = plain({"a", "b", "c"});
    request.known[0].before = {relation("b", Strength::Hard, "org.a", "must")};
    request.known[1].before = {relation("c", Strength::Soft, "org.b", "should")};
    return request;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: a legal forced order is taken silently") {
        Request request = plain({"a", "b", "c"});
        request.known[2].after = {relation("a", Strength::Hard)};
        request.forced = Names{"b", "a", "c"};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"b", "a", "c"});
        CHECK(order.forced);
        CHECK(order.diagnostics.empty());
        CHECK(order.violated.empty());
        CHECK(order.legal_orders == 3);
    }

    TEST_CASE("order: an illegal forced order is an error that lists each broken edge") {
        Request request = chain();
        request.forced = Names{"c", "b", "a"};
        const auto found = with_code(failure(request), "order/forced-illegal");
        REQUIRE(found.size() == 1);
        REQUIRE(found[0].notes.size() == 2);
        CHECK(contains(found[0].notes[0].message, "a before b"));
        CHECK(contains(found[0].notes[0].message, "must"));
        CHECK(contains(found[0].notes[1].message, "b before c"));
        CHECK(contains(found[0].hint, "override = true"));
    }

    TEST_CASE("order: breaking one soft edge needs override too") {
        Request request = chain();
        request.forced = Names{"a", "c", "b"};
        const auto found = with_code(failure(request), "order/forced-illegal");
        REQUIRE(found.size() == 1);
        CHECK(found[0].notes.size() == 1);
    }

    TEST_CASE("order: a soft edge that was set aside may be broken") {
        Request request = plain({"a", "b"});
        request.known[0].before = {relation("b", Strength::Soft)};
        request.user_edges = {user_edge("b", "a")};
        request.forced = Names{"b", "a"};
        CHECK(failure(request).empty());
    }

    TEST_CASE("order: an overridden order is taken with one warning per broken edge") {
        Request request = chain();
        request.forced = Names{"c", "b", "a"};
        request.override_ = true;
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"c", "b", "a"});
        CHECK(order.violated.size() == 2);
        const auto found = with_code(order.diagnostics, "order/overridden");
        REQUIRE(found.size() == 2);
        CHECK(found[0].severity == topress::Severity::Warning);
        CHECK(contains(found[0].message, "'b' before 'a'"));
        CHECK(contains(found[0].message, "hard"));
    }

    TEST_CASE("order: override without need changes nothing") {
        Request request = chain();
        request.forced = Names{"a", "b", "c"};
        request.override_ = true;
        const Order order = derive_order(request);
        CHECK(order.violated.empty());
        CHECK(order.diagnostics.empty());
    }

    TEST_CASE("order: a forced order must name every label once") {
        Request request = plain({"student", "channel"});
        std::string expected;
        SUBCASE("one is left out") {
            request.forced = Names{"student"};
            expected = "leaves out 'channel'";
        }
        SUBCASE("one is unknown") {
            request.forced = Names{"student", "channel", "qat"};
            expected = "names 'qat'";
        }
        SUBCASE("one is named twice") {
            request.forced = Names{"student", "channel", "student"};
            expected = "names 'student' twice";
        }
        const auto found = with_code(failure(request), "order/forced-incomplete");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].message, expected));
    }

    TEST_CASE("order: a misspelt or mistaken label in a forced order has a suggestion") {
        Request request = plain({"a"});
        request.known.push_back(technique("pruning.channel"));
        request.selected.push_back(instance("channel", "pruning.channel"));
        std::string expected;
        SUBCASE("misspelt") {
            request.forced = Names{"a", "chanel"};
            expected = "did you mean 'channel'?";
        }
        SUBCASE("the id in place of the label") {
            request.forced = Names{"a", "pruning.channel"};
            expected = "use its label 'channel'";
        }
        const auto found = with_code(failure(request), "order/forced-incomplete");
        REQUIRE(found.size() == 2);
        CHECK(found[0].hint == expected);
    }
}
