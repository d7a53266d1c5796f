// The explanation of an order in words and as a drawing.
#include "order/explain.hpp"

#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

/// first before second (hard), second before third (soft); third before first is set aside.
Request small() {
    Request request;
    request.known = {technique("x.first", "static", "layer"),
                     technique("x.second", "static", "bit"),
                     technique("x.third", "dynamic", "bit")};
    request.selected = {
        instance("first", "x.first"), instance("second", "x.second"), instance("third", "x.third")};
    request.known[0].before = {relation("x.second", Strength::Hard, "org.x", "must")};
    request.known[1].before = {relation("x.third", Strength::Soft, "org.x", "should")};
    request.known[2].before = {relation("x.first", Strength::Soft, "org.x", "might")};
    request.user_edges = {user_edge("second", "third")};
    return request;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: the explanation names positions and reasons and what was set aside") {
        const std::vector<std::string> lines = explain(derive_order(small()));
        const std::vector<std::string> expected = {
            "1 first (x.first, static, layer)",
            "2 second (x.second, static, bit)",
            "3 third (x.third, dynamic, bit)",
            "the only order that keeps every relation",
            "because",
            "  first before second",
            "    hard, declared by the plugin org.x (org.x/plugin.toml:1): must",
            "  second before third",
            "    soft, declared by the configuration (run.toml:1): the user says so",
            "  second before third",
            "    soft, declared by the plugin org.x (org.x/plugin.toml:1): should",
            "set aside",
            "  third before first",
            "    soft, declared by the plugin org.x (org.x/plugin.toml:1): might",
            "    it contradicts: first before second (hard, plugin), second before "
            "third "
            "(soft, configuration)",
        };
        CHECK(lines == expected);
    }

    TEST_CASE("order: the explanation lists what a forced order breaks and what is open") {
        Request request = small();
        request.forced = Names{"second", "first", "third"};
        request.override_ = true;
        const auto forced = explain(derive_order(request));
        CHECK(std::find(forced.begin(), forced.end(), "forced by the configuration") !=
              forced.end());
        CHECK(std::find(forced.begin(), forced.end(), "broken by the forced order") !=
              forced.end());

        Request open = plain({"a", "b"});
        open.known[0].writes = {"weights"};
        open.known[1].reads = {"weights"};
        const auto lines = explain(derive_order(open));
        CHECK(lines[2] == "one of 2 orders that keep every relation; ties by rank, then id");
        CHECK(lines.back() == "  a and b both touch weights");
    }

    TEST_CASE("order: relations on the same grounds are told together") {
        Request request = plain({"a", "b", "c"});
        request.known[2].after = {relation("a", Strength::Soft), relation("b", Strength::Soft)};
        const auto lines = explain(derive_order(request));
        CHECK(std::find(lines.begin(), lines.end(), "  a before c, b before c") != lines.end());
    }

    TEST_CASE("order: an inferred edge says through whom") {
        Request request = plain({"a", "b"});
        request.known.push_back(technique("middle"));
        request.known[2].before = {relation("a", Strength::Soft)};
        request.known[2].after = {relation("b", Strength::Soft)};
        const Order order = derive_order(request);
        REQUIRE(order.edges.size() == 1);
        CHECK(contains(describe(order.edges[0]), "through middle (not part of this run)"));
    }

    TEST_CASE("order: why gives the path or says that the tie-break decided") {
        const Order order = derive_order(small());
        const auto path = why(order, "first", "third");
        REQUIRE(path.has_value());
        REQUIRE(path->size() == 2);
        CHECK((*path)[0].after == "second");
        CHECK((*path)[1].where.origin == Origin::UserConfig);
        CHECK_FALSE(why(order, "third", "first").has_value());
        CHECK_FALSE(why(order, "first", "nobody").has_value());
        CHECK_FALSE(why(order, "nobody", "first").has_value());

        const auto tie = why(derive_order(plain({"a", "b"})), "a", "b");
        REQUIRE(tie.has_value());
        CHECK(tie->empty());
    }

    TEST_CASE("order: the drawing has every label and every edge and escapes quotes") {
        Request request = small();
        request.known[0].before[0].reason = "a \"must\"";
        const std::string dot = to_dot(derive_order(request));
        CHECK(contains(dot, "digraph order {"));
        CHECK(contains(
            dot, "\"first\" -> \"second\" [style=solid, penwidth=1.8, label=\"hard\\nplugin\""));
        CHECK(contains(dot, "\"second\" -> \"third\" [style=dashed"));
        CHECK(contains(dot, "\"third\" -> \"first\" [style=dotted"));
        CHECK(contains(dot, "a \\\"must\\\""));
        CHECK(contains(dot, "hard: must hold"));
        CHECK(contains(dot, "set aside: something stronger contradicts"));
        CHECK_FALSE(contains(dot, "broken by the forced order"));
        CHECK(dot.substr(dot.size() - 2) == "}\n");
    }

    TEST_CASE("order: the explanation is the same text whatever the input order") {
        Request request = small();
        const auto expected = explain(derive_order(request));
        std::reverse(request.selected.begin(), request.selected.end());
        std::reverse(request.known.begin(), request.known.end());
        CHECK(explain(derive_order(request)) == expected);
    }
}
