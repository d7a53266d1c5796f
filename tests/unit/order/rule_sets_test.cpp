// Rule sets against each other, chains with overlapping entries, and weaker first.
#include "builders.hpp"
#include "order/rules.hpp"

#include <doctest/doctest.h>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

RuleSet one_rule(const std::string& name, const char* before, const char* after, int precedence) {
    RuleSet set{
        name, "", {{before, after, "", "so it is", "", {Origin::RuleSet, name, "r.toml", 3, 1}}}};
    set_precedence(set, precedence);
    return set;
}

RuleSet shipped(const std::string& name, int precedence = 0) {
    RuleSet set = load_rules(source_path("configs/rules/" + name + ".toml"));
    set_precedence(set, precedence);
    return set;
}

/// The bundled techniques as their plugins declare them.
Request bundled() {
    Request request;
    request.known = {technique("distillation.student", "static", "architecture"),
                     technique("distillation.recovery", "static", "weight"),
                     technique("pruning.channel", "static", "channel"),
                     technique("quantization.qat", "static", "bit"),
                     technique("early_exit.confidence", "dynamic", "architecture")};
    request.known[0].provides = {"knowledge-distillation"};
    request.known[1].provides = {"knowledge-distillation"};
    for (const TechniqueInfo& info : request.known) {
        request.selected.push_back(instance(info.id));
    }
    return request;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("rule sets: the one named first decides, and the disagreement is explained") {
        for (const int first : {0, 1}) {
            Request request = plain({"a", "b"});
            request.rules = {one_rule("left", "a", "b", first),
                             one_rule("right", "b", "a", 1 - first)};
            const Order order = derive_order(request);
            CHECK(order.sequence == (first == 0 ? Names{"a", "b"} : Names{"b", "a"}));
            const auto found = with_code(order.diagnostics, "order/rules-disagree");
            REQUIRE(found.size() == 1);
            CHECK(contains(found[0].message, "'left' and 'right'") !=
                  contains(found[0].message, "'right' and 'left'"));
            CHECK(contains(found[0].message,
                           first == 0 ? "'left' is named first" : "'right' is named first"));
            CHECK(found[0].notes.size() == 2);
            CHECK(with_code(order.diagnostics, "order/soft-edge-skipped").empty());
        }
    }

    TEST_CASE("rule sets: what something stronger sets aside is no disagreement of sets") {
        Request request = plain({"a", "b"});
        request.rules = {one_rule("left", "a", "b", 0)};
        request.user_edges = {user_edge("b", "a")};
        const Order order = derive_order(request);
        CHECK(with_code(order.diagnostics, "order/rules-disagree").empty());
        CHECK(with_code(order.diagnostics, "order/soft-edge-skipped").size() == 1);
    }

    TEST_CASE("rule sets: prune, quantize, distil puts distillation last") {
        Request request = bundled();
        request.rules = {shipped("prune-quantize-distil")};
        const Order order = derive_order(request);
        CHECK(precedes(order, "pruning.channel", "quantization.qat"));
        CHECK(precedes(order, "quantization.qat", "distillation.student"));
        // Also of granularity "weight": in a chain it stands at the last entry that it fits.
        CHECK(precedes(order, "quantization.qat", "distillation.recovery"));
        CHECK(with_code(order.diagnostics, "order/soft-edge-skipped").empty());
        CHECK(find_edge(order, "distillation.recovery", "quantization.qat") == nullptr);
    }

    TEST_CASE("rule sets: prune-quantize-distil before the default settles what both speak of") {
        Request request = bundled();
        request.rules = {shipped("prune-quantize-distil"), shipped("order-of-compression", 1)};
        const Order order = derive_order(request);
        CHECK(order.sequence == Names{"pruning.channel",
                                      "quantization.qat",
                                      "distillation.student",
                                      "distillation.recovery",
                                      "early_exit.confidence"});
        CHECK(with_code(order.diagnostics, "order/rules-disagree").size() >= 2);
    }

    TEST_CASE("rule sets: weaker first goes by configured intensity") {
        Request request = bundled();
        request.rules = {shipped("weaker-first")};
        request.selected[3].intensity = 16;  // mild quantization
        request.selected[2].intensity = 20;  // heavy pruning
        const Order order = derive_order(request);
        CHECK(precedes(order, "quantization.qat", "pruning.channel"));
        const Edge* edge = find_edge(order, "quantization.qat", "pruning.channel");
        REQUIRE(edge != nullptr);
        CHECK(edge->where.declared_by == "weaker-first");
        CHECK(contains(edge->reason, "quantization.qat 16x, configured"));
        CHECK_FALSE(edge->source.empty());
        CHECK(with_code(order.diagnostics, "order/no-intensity").size() == 2);
    }

    TEST_CASE("rule sets: weaker first goes by measured intensity, in scope if there is any") {
        Request request = bundled();
        request.rules = {shipped("weaker-first")};
        request.scope = {{"resnet"}, {"mnist"}, ""};
        Evidence here{"here", "", {{}, {"mnist"}, ""}, {}, {}};
        here.intensities = {{"quantization.qat", 4.0, {}}, {"quantization.qat", 16.0, {}}};
        Evidence there{"there", "", {{}, {"cifar10"}, ""}, {}, {}};
        there.intensities = {{"quantization.qat", 1000.0, {}}, {"pruning.channel", 9.0, {}}};
        request.evidence = {there, here};
        const Order order = derive_order(request);
        const Edge* edge = find_edge(order, "quantization.qat", "pruning.channel");
        REQUIRE(edge != nullptr);  // geometric mean 8 here, 9 there
        CHECK(contains(edge->reason, "8x, measured"));
        request.selected[3].intensity = 10;
        CHECK(precedes(derive_order(request), "pruning.channel", "quantization.qat"));
    }

    TEST_CASE("rule sets: weaker first tells two instances of one technique apart") {
        Request request = plain({"a"});
        request.selected = {instance("heavy", "a"), instance("mild", "a")};
        request.rules = {shipped("weaker-first")};
        request.selected[0].intensity = 4;
        request.selected[1].intensity = 2;
        CHECK(derive_order(request).sequence == Names{"mild", "heavy"});
        request.selected[1].intensity = 4;  // equal: nothing is said
        CHECK(derive_order(request).edges.empty());
    }
}
