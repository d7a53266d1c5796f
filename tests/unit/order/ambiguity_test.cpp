// Unordered pairs on one resource: found, named, an error only when strict.
#include "builders.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

/// Two techniques that both write "weights".
Request two_writers() {
    Request request = plain({"a", "b"});
    request.known[0].writes = {"weights"};
    request.known[1].writes = {"weights"};
    return request;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("order: an unordered pair on one resource is a warning that names it") {
        Request request = two_writers();
        SUBCASE("write and write") {}
        SUBCASE("read and write") {
            request.known[0].writes.clear();
            request.known[0].reads = {"weights"};
        }
        const Order order = derive_order(request);
        REQUIRE(order.ambiguities.size() == 1);
        CHECK(order.ambiguities[0].a == "a");
        CHECK(order.ambiguities[0].b == "b");
        CHECK(order.ambiguities[0].resource == "weights");
        const auto found = with_code(order.diagnostics, "order/ambiguous");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == topress::Severity::Warning);
        CHECK(contains(found[0].notes[0].message, "writes weights"));
        CHECK(contains(found[0].hint, "before = \"a\", after = \"b\""));
    }

    TEST_CASE("order: what an instance touches with its parameters counts too") {
        Request request = plain({"a", "b"});
        request.known[0].writes = {"weights"};
        CHECK(derive_order(request).ambiguities.empty());
        SUBCASE("written") {
            request.selected[1].writes = {"weights"};
            const Order order = derive_order(request);
            REQUIRE(order.ambiguities.size() == 1);
            const auto found = with_code(order.diagnostics, "order/ambiguous");
            CHECK(contains(found.at(0).notes[0].message, "'b' writes weights"));
        }
        SUBCASE("read") {
            request.selected[1].reads = {"weights"};
            CHECK(derive_order(request).ambiguities.size() == 1);
        }
        SUBCASE("something else") {
            request.selected[1].writes = {"exits"};
            CHECK(derive_order(request).ambiguities.empty());
        }
    }

    TEST_CASE("order: two readers or different resources are no ambiguity") {
        Request request = plain({"a", "b"});
        SUBCASE("two readers") {
            request.known[0].reads = {"weights"};
            request.known[1].reads = {"weights"};
        }
        SUBCASE("different resources") {
            request.known[0].writes = {"weights"};
            request.known[1].writes = {"exits"};
        }
        CHECK(derive_order(request).ambiguities.empty());
    }

    TEST_CASE("order: a path settles a pair also without a direct edge") {
        Request request = two_writers();
        request.known.push_back(technique("c"));
        request.selected.push_back(instance("c"));
        request.known[2].after = {relation("a", Strength::Soft)};
        request.known[2].before = {relation("b", Strength::Soft)};
        CHECK(derive_order(request).ambiguities.empty());
    }

    TEST_CASE("order: an edge that was set aside settles nothing by itself") {
        Request request = plain({"a", "b", "c"});
        request.known[0].writes = {"weights"};
        request.known[2].writes = {"weights"};
        // c before a is skipped against a before b before c; the opposing path settles the pair.
        request.known[0].before = {relation("b", Strength::Hard)};
        request.known[1].before = {relation("c", Strength::Hard)};
        request.user_edges = {user_edge("c", "a")};
        CHECK(derive_order(request).ambiguities.empty());
        request.known[1].before.clear();
        request.user_edges.clear();
        CHECK(derive_order(request).ambiguities.size() == 1);
    }

    TEST_CASE("order: strict makes an ambiguity an error") {
        Request request = two_writers();
        request.strict = true;
        const auto found = with_code(failure(request), "order/ambiguous");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == topress::Severity::Error);
        request.user_edges = {user_edge("b", "a")};
        CHECK(failure(request).empty());
    }

    TEST_CASE("order: of very many ambiguities the first are told and the rest counted") {
        std::vector<std::string> ids;
        for (int i = 10; i < 30; ++i) {
            ids.push_back("t" + std::to_string(i));
        }
        Request request = plain(ids);
        for (TechniqueInfo& info : request.known) {
            info.writes = {"weights"};
        }
        request.count_orders = false;
        const Order order = derive_order(request);
        CHECK(order.ambiguities.size() == 190);  // 20 choose 2
        const auto told = with_code(order.diagnostics, "order/ambiguous");
        REQUIRE(told.size() == 101);
        CHECK(told.back().message.find("90 more pairs") != std::string::npos);
        request.strict = true;
        CHECK(failure(request).size() == 101);
    }

    TEST_CASE("order: several shared resources are one finding and one entry each") {
        Request request = two_writers();
        request.known[0].writes = {"weights", "channels"};
        request.known[1].reads = {"channels"};
        const Order order = derive_order(request);
        CHECK(order.ambiguities.size() == 2);
        CHECK(with_code(order.diagnostics, "order/ambiguous").size() == 1);
    }

    TEST_CASE("order: a forced order settles every pair") {
        Request request = two_writers();
        request.strict = true;
        request.forced = Names{"b", "a"};
        CHECK(derive_order(request).ambiguities.empty());
    }
}
