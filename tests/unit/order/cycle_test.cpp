// Hard relations that contradict each other: the smallest cycle, its owners, what to drop.
#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

/// a before b before c before a, each declared by its own plugin.
Request triangle() {
    Request request = plain({"a", "b", "c"});
    request.known[0].before = {relation("b", Strength::Hard, "org.a", "reason one")};
    request.known[1].before = {relation("c", Strength::Hard, "org.b", "reason two")};
    request.known[2].before = {relation("a", Strength::Hard, "org.c", "reason three")};
    return request;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: a cycle of hard relations is an error that exits with no valid order") {
        try {
            static_cast<void>(derive_order(triangle()));
            FAIL("no error");
        } catch (const topress::DiagnosticError& error) {
            CHECK(error.status() == topress::ExitStatus::NoValidOrder);
            CHECK(error.diagnostics().front().code == "order/cycle");
        }
    }

    TEST_CASE("order: a cycle says who declared each edge and where and why") {
        const auto found = with_code(failure(triangle()), "order/cycle");
        REQUIRE(found.size() == 1);
        REQUIRE(found[0].notes.size() == 3);
        CHECK(found[0].notes[0].message ==
              "a before b   declared by the plugin org.a (org.a/plugin.toml:1): reason one");
        CHECK(found[0].notes[1].message ==
              "b before c   declared by the plugin org.b (org.b/plugin.toml:1): reason two");
        CHECK(found[0].notes[2].message ==
              "c before a   declared by the plugin org.c (org.c/plugin.toml:1): reason three");
    }

    TEST_CASE("order: of several cycles the smallest is shown") {
        Request request = triangle();
        request.user_edges = {user_edge("b", "a", Strength::Hard, 7)};
        const auto found = with_code(failure(request), "order/cycle");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].message, "2 techniques"));
        CHECK(found[0].notes.size() == 2);
    }

    TEST_CASE("order: the hint drops the user's own line first") {
        Request request = triangle();
        request.user_edges = {user_edge("b", "a", Strength::Hard, 7)};
        const auto found = with_code(failure(request), "order/cycle");
        REQUIRE(found.size() == 1);
        CHECK(found[0].hint == "drop the relation 'b before a' at run.toml:7");
        CHECK(found[0].location.file == "run.toml");
        CHECK(found[0].location.line == 7);
    }

    TEST_CASE("order: without a user's line the hint prefers a plugin to evidence") {
        Request request = plain({"a", "b"});
        request.user_edges = {edge_of(Origin::Evidence, "a", "b", Strength::Hard)};
        request.known[1].before = {relation("a", Strength::Hard, "org.b")};
        const auto found = with_code(failure(request), "order/cycle");
        REQUIRE(found.size() == 1);
        CHECK(contains(found[0].hint, "'b before a'"));
    }

    TEST_CASE("order: two separate cycles are reported both") {
        Request request = plain({"a", "b", "c", "d"});
        request.known[0].before = {relation("b", Strength::Hard)};
        request.known[1].before = {relation("a", Strength::Hard)};
        request.known[2].before = {relation("d", Strength::Hard)};
        request.known[3].before = {relation("c", Strength::Hard)};
        CHECK(with_code(failure(request), "order/cycle").size() == 2);
    }

    TEST_CASE("order: a cycle through an absent technique shows every declaration on the way") {
        Request request = plain({"a", "b"});
        TechniqueInfo middle = technique("middle");
        middle.before = {relation("b", Strength::Hard, "org.middle")};
        middle.after = {relation("a", Strength::Hard, "org.middle")};
        request.known.push_back(middle);
        request.known[1].before = {relation("a", Strength::Hard, "org.b")};
        const auto found = with_code(failure(request), "order/cycle");
        REQUIRE(found.size() == 1);
        REQUIRE(found[0].notes.size() == 3);
        CHECK(contains(found[0].notes[0].message, "a      before middle"));
        CHECK(contains(found[0].notes[1].message, "middle before b"));
    }

    TEST_CASE("order: one soft relation in a circle is no cycle") {
        Request request = triangle();
        request.known[2].before[0].strength = Strength::Soft;
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"a", "b", "c"});
        CHECK(with_code(order.diagnostics, "order/soft-edge-skipped").size() == 1);
    }

    TEST_CASE("order: the same cycle is shown whatever the input order") {
        Request request = triangle();
        const auto expected = failure(request);
        std::reverse(request.known.begin(), request.known.end());
        std::swap(request.selected[0], request.selected[1]);
        const auto found = failure(request);
        REQUIRE(found.size() == expected.size());
        CHECK(topress::render(found[0]) == topress::render(expected[0]));
    }

    TEST_CASE("order: an overridden forced order turns a cycle into a warning") {
        Request request = triangle();
        request.forced = Names{"c", "b", "a"};
        const auto refused = with_code(failure(request), "order/cycle");
        REQUIRE(refused.size() == 1);
        CHECK(refused[0].severity == topress::Severity::Error);
        request.override_ = true;
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"c", "b", "a"});
        CHECK(order.violated.size() == 2);
        request.forced = Names{"a", "b", "c"};
        CHECK(derive_order(request).violated.size() == 1);
        REQUIRE(with_code(order.diagnostics, "order/cycle").size() == 1);
        CHECK(with_code(order.diagnostics, "order/cycle")[0].severity ==
              topress::Severity::Warning);
    }
}
