// The graph algorithms by themselves, on graphs with known answers.
#include "order/graph.hpp"

#include <doctest/doctest.h>

using namespace topress::order;

using Nodes = std::vector<NodeIndex>;

TEST_SUITE("order") {
    TEST_CASE("graph: reachability stays closed while arcs are added in any order") {
        Reachability order(4);
        order.add(2, 3);
        order.add(0, 1);
        CHECK_FALSE(order.reaches(0, 3));
        order.add(1, 2);
        CHECK(order.reaches(0, 3));
        CHECK_FALSE(order.reaches(3, 0));
        CHECK_FALSE(order.reaches(0, 0));
        order.add(3, 0);
        CHECK(order.reaches(0, 0));
    }

    TEST_CASE("graph: knots are the components that contain a cycle") {
        const std::vector<Arc> arcs = {{0, 1}, {1, 0}, {1, 2}, {3, 4}, {4, 5}, {5, 3}};
        const auto found = knots(7, arcs);
        REQUIRE(found.size() == 2);
        CHECK(found[0] == Nodes{0, 1});
        CHECK(found[1] == Nodes{3, 4, 5});
        CHECK(knots(3, {{0, 1}, {1, 2}}).empty());
    }

    TEST_CASE("graph: of equally short paths the one with the smallest nodes is taken") {
        const std::vector<Arc> arcs = {{0, 3}, {0, 2}, {2, 4}, {3, 4}, {0, 1}, {1, 2}};
        CHECK(shortest_path(Successors(5, arcs), 0, 4) == Nodes{0, 2, 4});
        CHECK(shortest_path(Successors(5, arcs), 4, 0).empty());
    }

    TEST_CASE("graph: the shortest cycle of a knot") {
        const std::vector<Arc> arcs = {{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 2}};
        CHECK(shortest_cycle(4, arcs, {0, 1, 2, 3}) == Nodes{2, 3, 2});
    }

    TEST_CASE("graph: the topological order always takes the smallest free node") {
        CHECK(sort_topologically(4, {{3, 0}, {2, 1}}) == Nodes{2, 1, 3, 0});
        CHECK(sort_topologically(3, {}) == Nodes{0, 1, 2});
        CHECK(sort_topologically(2, {{1, 0}, {1, 0}}) == Nodes{1, 0});
    }

    TEST_CASE("graph: the number of orders of known graphs") {
        CHECK(count_orders(0, {}) == 1);
        CHECK(count_orders(4, {}) == 24);
        CHECK(count_orders(4, {{0, 1}, {1, 2}, {2, 3}}) == 1);
        CHECK(count_orders(4, {{0, 1}, {2, 3}}) == 6);
        CHECK(count_orders(2, {{0, 1}, {1, 0}}) == 0);
        CHECK(count_orders(20, {}) == 2432902008176640000ULL);
        CHECK(count_orders(21, {}) == 0);
    }
}
