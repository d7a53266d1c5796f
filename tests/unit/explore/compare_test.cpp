// Findings out of made-up results.
#include "explore/compare.hpp"

#include "experiment.hpp"
#include "explore/document.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress::explore;
using namespace topress::explore::testing;

namespace {

const Sequence kLabels{"a", "b", "c"};
constexpr Modes kAll{true, true, true};

bool precedes(const Sequence& order, const char* first, const char* second) {
    return std::ranges::find(order, first) < std::ranges::find(order, second);
}

bool has(const Sequence& order, const char* label) {
    return std::ranges::find(order, label) != order.end();
}

/// a before b is worth 0.04, give or take 0.001 a seed; nothing else matters.
double a_before_b(const Sequence& order, std::uint64_t seed) {
    const bool good = has(order, "a") && has(order, "b") && precedes(order, "a", "b");
    return 0.8 + (good ? 0.04 : 0) + (good ? 0.001 * double(seed) : 0);
}

}  // namespace

TEST_SUITE("explore") {
    TEST_CASE("compare: a pair that always helps is decided, others are not") {
        const Experiment experiment = make_experiment(kLabels, kAll);
        const Findings found = compare(experiment, make_results(experiment, a_before_b));
        REQUIRE(found.pairs.size() == 3);
        const PairResult& pair = found.pairs[0];
        CHECK(pair.first == Sequence{"a", "b"});
        CHECK(pair.estimate.mean == doctest::Approx(0.042));
        CHECK(pair.estimate.decided());
        CHECK_FALSE(found.pairs[1].estimate.decided());
        CHECK(found.pairs[1].estimate.mean == 0);
    }

    TEST_CASE("compare: a pair is turned so that the better order is named first") {
        const Experiment experiment = make_experiment(kLabels, {.pairs = true});
        const auto b_first = [](const Sequence& order, std::uint64_t seed) {
            const bool good = has(order, "a") && has(order, "b") && precedes(order, "b", "a");
            return good ? 0.85 + 0.001 * double(seed) : 0.8;
        };
        const Findings found = compare(experiment, make_results(experiment, b_first));
        CHECK(found.pairs[0].first == Sequence{"b", "a"});
        CHECK(found.pairs[0].estimate.low > 0);
        CHECK(found.pairs[0].differences[0] > 0);
        CHECK(winner(experiment, found) == Sequence{"b", "a", "c"});
    }

    TEST_CASE("compare: insertions say whether a third technique keeps the pair as it is") {
        const Experiment experiment = make_experiment(kLabels, kAll);
        const auto broken_by_c = [](const Sequence& order, std::uint64_t seed) {
            const double noise = 0.001 * double(seed);
            if (order == Sequence{"a", "b"}) {
                return 0.85 + noise;
            }
            return order == Sequence{"b", "c", "a"} ? 0.85 + noise : 0.8;
        };
        const Findings found = compare(experiment, make_results(experiment, broken_by_c));
        const auto insertion = std::ranges::find_if(found.insertions, [](const Insertion& each) {
            return each.before == "a" && each.after == "b" && each.between == "c";
        });
        REQUIRE(insertion != found.insertions.end());
        CHECK(insertion->verdict == "broken");
        CHECK(insertion->pair.mean > 0);
        CHECK(insertion->compared.estimate.high < 0);
    }

    TEST_CASE("compare: complete orders are ranked and their precedences averaged") {
        const Experiment experiment = make_experiment(kLabels, {.permutations = true});
        const Findings found = compare(experiment, make_results(experiment, a_before_b));
        REQUIRE(found.orders.size() == 6);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(precedes(found.orders[i].order, "a", "b"));
            CHECK(precedes(found.orders[i + 3].order, "b", "a"));
        }
        CHECK(found.orders[0].to_best.mean == 0);
        CHECK(found.orders[5].to_best.high < 0);
        REQUIRE(found.precedences.size() == 3);
        CHECK(found.precedences[0].before == "a");
        CHECK(found.precedences[0].difference.mean == doctest::Approx(0.042));
        CHECK(found.precedences[0].difference.decided());
        CHECK(found.pairs.empty());
        CHECK_FALSE(winner(experiment, found).has_value());
    }

    TEST_CASE("compare: an order that cannot execute is recorded and compared with nothing") {
        const Experiment experiment = make_experiment(kLabels, kAll);
        Results results = make_results(experiment, a_before_b);
        const auto index = std::size_t(std::ranges::find(experiment.orders, Sequence{"c", "b"}) -
                                       experiment.orders.begin());
        for (auto& round : results) {
            round[index] = {};
            round[index].state = BranchResult::State::Failed;
            round[index].error_code = "plugin/unsupported";
            round[index].error = "not after c";
        }
        const Findings found = compare(experiment, results);
        const PairResult& pair = found.pairs[2];
        CHECK(pair.cannot_execute == "c, b: not after c [plugin/unsupported]");
        CHECK(pair.differences.empty());
        CHECK(count(experiment, results).failed == 3);
        const auto json = to_json(experiment, kAll, results, found, {});
        CHECK(json.at("pairs")[2].at("executes") == false);
        CHECK(json.at("pairs")[2].at("difference").is_null());
    }

    TEST_CASE("compare: what is not finished yet is left out") {
        const Experiment experiment = make_experiment(kLabels, {.pairs = true});
        Results results = make_results(experiment, a_before_b);
        for (auto& round : results) {
            round[0] = {};
        }
        CHECK(compare(experiment, results).pairs.size() == 2);
        CHECK(compare(experiment, Results(3, std::vector<BranchResult>(6))).pairs.empty());
    }

    TEST_CASE("compare: a seed of which one order is missing does not count for the pair") {
        const Experiment experiment = make_experiment({"a", "b"}, {.pairs = true});
        Results results = make_results(experiment, a_before_b);
        results[1][1] = {};
        const Findings found = compare(experiment, results);
        REQUIRE(found.pairs.size() == 1);
        CHECK(found.pairs[0].differences.size() == 2);
    }

    TEST_CASE("document: counts are those of the tree, all rounds together") {
        const Experiment experiment = make_experiment({"a", "b", "c", "d"}, {.permutations = true});
        const Results results = make_results(experiment, a_before_b);
        const auto json = to_json(experiment, {.permutations = true}, results, {}, {});
        CHECK(json.at("counts").at("stage_runs") == 64);
        CHECK(json.at("counts").at("finish_runs") == 0);
        CHECK(json.at("counts").at("planned") == 192);
        CHECK(json.at("branches").size() == 72);
        CHECK(json.at("seeds").size() == 3);
    }
}
