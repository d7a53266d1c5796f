// The order drawn with characters.
#include "order/drawing.hpp"

#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

std::string drawn(const Request& request, bool unicode = true, std::size_t width = 80) {
    std::string text;
    for (const std::string& line : draw(derive_order(request), {unicode, width})) {
        text += line + "\n";
    }
    return text;
}

/// alpha before beta (hard), beta before gamma (soft); gamma before alpha is set aside.
Request three() {
    Request request = plain({"alpha", "beta", "gamma"});
    request.user_edges = {user_edge("alpha", "beta", Strength::Hard), user_edge("beta", "gamma")};
    request.known[2].before = {relation("alpha", Strength::Soft)};
    return request;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: a drawing tells hard, soft and set-aside relations apart") {
        CHECK(drawn(three()) ==
              "  alpha ══▶ beta ──▶ gamma\n"
              "    ▲                  ┆\n"
              "    └┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┘\n"
              "\n"
              "  ══▶ hard   ──▶ soft   ┄┄▶ set aside\n");
        CHECK(drawn(three(), false) ==
              "  alpha ==> beta --> gamma\n"
              "    ^                  :\n"
              "    +~~~~~~~~~~~~~~~~~~+\n"
              "\n"
              "  ==> hard   --> soft   ~~> set aside\n");
    }

    TEST_CASE("order: what follows from drawn relations is counted, not drawn") {
        Request request = plain({"alpha", "beta", "gamma"});
        request.user_edges = {
            user_edge("alpha", "beta"), user_edge("beta", "gamma"), user_edge("alpha", "gamma")};
        CHECK(drawn(request) ==
              "  alpha ──▶ beta ──▶ gamma\n"
              "\n"
              "  ──▶ soft\n"
              "  (1 relation that follows from these is not drawn)\n");
        request.user_edges[2].strength = Strength::Hard;  // soft ones do not imply a hard one
        CHECK(contains(drawn(request), "╚══════"));
    }

    TEST_CASE("order: neighbours that nothing relates are joined by dots") {
        CHECK(drawn(plain({"a", "b"})) == "  a ··· b\n\n  ··· tie-break only\n");
        CHECK(drawn(plain({"a"})) == "  a\n");
        CHECK(draw(Order{}).empty());
    }

    TEST_CASE("order: what a forced order breaks is drawn as such") {
        Request request = three();
        request.forced = Names{"beta", "alpha", "gamma"};
        request.override_ = true;
        CHECK(contains(drawn(request), "beta ━╳▶ alpha"));
        CHECK(contains(drawn(request, false), "beta -x> alpha"));
        CHECK(contains(drawn(request), "━╳▶ broken by the forced order"));
        request.known[2].before.push_back(relation("beta", Strength::Soft));
        for (const std::string& line : draw(derive_order(request), {true, 40})) {
            CAPTURE(line);
            CHECK(columns_of(line) <= 40);
        }
    }

    TEST_CASE("order: a long chain is broken, its arcs become words, and no line is too wide") {
        Names ids;
        for (int i = 10; i < 22; ++i) {
            ids.push_back("technique" + std::to_string(i));
        }
        Request request = plain(ids);
        for (std::size_t i = 1; i < ids.size(); ++i) {
            request.user_edges.push_back(user_edge(ids[i - 1], ids[i]));
        }
        request.known[11].before = {relation("technique10", Strength::Soft)};
        const std::string text = drawn(request);
        CHECK(contains(text, "technique21 ┄┄▶ technique10"));
        for (const std::string& line : draw(derive_order(request))) {
            CAPTURE(line);
            CHECK(columns_of(line) <= 80);
        }
    }

    TEST_CASE("order: arcs that would need more columns than a label has become words") {
        Request request = plain({"a", "b", "c", "d"});
        request.user_edges = {user_edge("a", "b"), user_edge("b", "c"), user_edge("c", "d")};
        request.known[2].before = {relation("a", Strength::Soft)};
        request.known[3].before = {relation("a", Strength::Soft)};
        CHECK(contains(drawn(request), "  c ┄┄▶ a\n  d ┄┄▶ a\n"));
    }
}
