// The bundled techniques' traits under the shipped rule file: the order of the paper, always.
#include "builders.hpp"
#include "order/rules.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress::order;
using namespace topress::order::testing;

namespace {

const Names kExpected = {"student", "channel", "qat", "confidence"};

/// Traits only: none of the four declares any before or after.
std::vector<TechniqueInfo> stand_ins() {
    return {technique("distillation.student", "static", "architecture"),
            technique("pruning.channel", "static", "channel"),
            technique("quantization.qat", "static", "bit"),
            technique("early_exit.confidence", "dynamic", "architecture")};
}

std::vector<Instance> instances() {
    return {instance("student", "distillation.student"),
            instance("channel", "pruning.channel"),
            instance("qat", "quantization.qat"),
            instance("confidence", "early_exit.confidence")};
}

RuleSet shipped() {
    return load_rules(source_path("configs/rules/order-of-compression.toml"));
}

bool by_label(const Instance& a, const Instance& b) {
    return a.label < b.label;
}

bool by_id(const TechniqueInfo& a, const TechniqueInfo& b) {
    return a.id < b.id;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE(
        "order: the shipped rules give student channel qat confidence in all 24 input orders") {
        Request request;
        request.known = stand_ins();
        request.selected = instances();
        request.rules = {shipped()};
        std::sort(request.selected.begin(), request.selected.end(), by_label);
        int permutations = 0;
        do {
            const Order order = derive_order(request);
            CHECK(order.sequence == kExpected);
            CHECK(order.legal_orders == 1);
            CHECK(order.diagnostics.empty());
            ++permutations;
        } while (std::next_permutation(request.selected.begin(), request.selected.end(), by_label));
        CHECK(permutations == 24);
    }

    TEST_CASE("order: the sequence in which plugins were found does not matter") {
        Request request;
        request.known = stand_ins();
        request.selected = instances();
        request.rules = {shipped()};
        std::sort(request.known.begin(), request.known.end(), by_id);
        int permutations = 0;
        do {
            CHECK(derive_order(request).sequence == kExpected);
            ++permutations;
        } while (std::next_permutation(request.known.begin(), request.known.end(), by_id));
        CHECK(permutations == 24);
    }

    TEST_CASE("order: the shipped rules give the same without the rule file being first") {
        RuleSet other{"a-custom", "", {}};
        other.rules.push_back({"granularity:weight",
                               "granularity:bit",
                               "",
                               "custom",
                               "",
                               {Origin::RuleSet, "a-custom", "", 0, 0}});
        Request request;
        request.known = stand_ins();
        request.selected = instances();
        request.rules = {shipped(), other};
        const Order first = derive_order(request);
        std::reverse(request.rules.begin(), request.rules.end());
        CHECK(first.sequence == kExpected);
        CHECK(derive_order(request).sequence == kExpected);
    }

    TEST_CASE("order: every subset of the bundled techniques keeps its relative order") {
        const std::vector<Instance> all = instances();
        for (unsigned mask = 0; mask < 16; ++mask) {
            CAPTURE(mask);
            Request request;
            request.known = stand_ins();
            request.rules = {shipped()};
            Names expected;
            for (std::size_t i = all.size(); i-- > 0;) {
                if ((mask >> i & 1U) != 0) {
                    request.selected.push_back(all[i]);
                    expected.insert(expected.begin(), all[i].label);
                }
            }
            CHECK(derive_order(request).sequence == expected);
        }
    }

    TEST_CASE("order: a third party technique that names nobody lands between channel and qat") {
        Request request;
        request.known = stand_ins();
        request.known.push_back(technique("acme.cluster", "static", "weight"));
        request.selected = instances();
        request.selected.push_back(instance("acme.cluster"));
        request.rules = {shipped()};
        const Names expected = {"student", "channel", "acme.cluster", "qat", "confidence"};
        CHECK(derive_order(request).sequence == expected);
    }

    TEST_CASE("order: every edge of the shipped rules has a reason and a source and a place") {
        Request request;
        request.known = stand_ins();
        request.selected = instances();
        request.rules = {shipped()};
        const Order order = derive_order(request);
        REQUIRE(order.edges.size() == 6);
        for (const Edge& edge : order.edges) {
            CHECK(edge.used);
            CHECK(edge.strength == Strength::Soft);
            CHECK(edge.where.origin == Origin::RuleSet);
            CHECK(edge.where.declared_by == "order-of-compression");
            CHECK(edge.where.line > 0);
            CHECK_FALSE(edge.reason.empty());
            CHECK(edge.source == "arXiv 2403.17447");
        }
    }
}
