// Threshold choice of early exits: optimal on small cases, within the bound, degenerate cases.
#include "early_exit/thresholds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace topress::early_exit;

namespace {

ExitObservations random_observations(std::size_t exits, std::size_t samples, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<float> uniform(0.1F, 1.0F);
    ExitObservations seen;
    for (std::size_t k = 0; k < exits; ++k) {
        std::vector<float> confidence(samples);
        std::vector<double> right(samples);
        for (std::size_t i = 0; i < samples; ++i) {
            confidence[i] = uniform(generator);
            right[i] = uniform(generator) < confidence[i] + 0.1F ? 1 : 0;
        }
        seen.confidence.push_back(confidence);
        seen.right.push_back(right);
        seen.cost.push_back(static_cast<double>(k + 1));
    }
    std::vector<double> right(samples);
    for (auto& r : right) {
        r = uniform(generator) < 0.9F ? 1 : 0;
    }
    seen.right.push_back(right);
    seen.cost.push_back(static_cast<double>(exits + 2));
    return seen;
}

/// Exits as they are: where the picture is hard, all of them are unsure and often wrong, each on
/// pictures of its own, so that exits gain on some what they lose on others.
ExitObservations overlapping_observations(std::size_t samples, std::uint64_t seed) {
    constexpr double kSkill[] = {0.75, 0.85, 0.92, 0.95};
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    ExitObservations seen;
    seen.confidence.resize(3);
    seen.right.resize(4);
    seen.cost = {1, 2, 3, 4};
    for (std::size_t i = 0; i < samples; ++i) {
        const double ease = uniform(generator);
        for (std::size_t k = 0; k < 4; ++k) {
            const double chance = 1 - (1 - kSkill[k]) * 3 * (1 - ease) * (1 - ease);
            seen.right[k].push_back(uniform(generator) < chance ? 1 : 0);
            if (k < 3) {
                const double noise = 0.1 * uniform(generator);
                seen.confidence[k].push_back(static_cast<float>(0.9 * chance + noise));
            }
        }
    }
    return seen;
}

/// Where a sample leaves; behind the last exit is the main output.
std::size_t exit_taken(const ExitObservations& seen,
                       const std::vector<double>& thresholds,
                       std::size_t sample) {
    std::size_t taken = 0;
    while (taken < thresholds.size() &&
           static_cast<double>(seen.confidence[taken][sample]) < thresholds[taken]) {
        ++taken;
    }
    return taken;
}

struct Outcome {
    double accuracy = 0;
    double cost = 0;
};

/// What thresholds give, sample by sample, written the slow way.
Outcome outcome_of(const ExitObservations& seen, const std::vector<double>& thresholds) {
    Outcome outcome;
    const std::size_t samples = seen.right.front().size();
    for (std::size_t i = 0; i < samples; ++i) {
        const std::size_t taken = exit_taken(seen, thresholds, i);
        outcome.accuracy += seen.right[taken][i];
        outcome.cost += seen.cost[taken];
    }
    outcome.accuracy /= static_cast<double>(samples);
    outcome.cost /= static_cast<double>(samples);
    return outcome;
}

/// What the bound counts: samples that are answered worse than by the main output, less those that
/// are answered better if gains count.
double lost_by(const ExitObservations& seen,
               const std::vector<double>& thresholds,
               bool counts_gains) {
    double lost = 0;
    for (std::size_t i = 0; i < seen.right.back().size(); ++i) {
        const std::size_t taken = exit_taken(seen, thresholds, i);
        const double loss = seen.right.back()[i] - seen.right[taken][i];
        lost += counts_gains || loss > 0 ? loss : 0;
    }
    return lost / static_cast<double>(seen.right.back().size());
}

/// The least cost within the bound, by trying the confidence of every sample at every exit.
double least_cost(const ExitObservations& seen, const AccuracyBound& bound) {
    const std::size_t exits = seen.confidence.size();
    const std::size_t samples = seen.right.front().size();
    std::vector<std::size_t> tried(exits, 0);
    double best = std::numeric_limits<double>::infinity();
    while (tried.back() <= samples) {
        std::vector<double> thresholds;
        for (std::size_t k = 0; k < exits; ++k) {
            thresholds.push_back(tried[k] < samples ? seen.confidence[k][tried[k]] : kNever);
        }
        if (lost_by(seen, thresholds, bound.counts_gains) <= bound.max_drop + 1e-12) {
            best = std::min(best, outcome_of(seen, thresholds).cost);
        }
        ++tried[0];
        for (std::size_t k = 0; k + 1 < exits && tried[k] > samples; ++k) {
            tried[k] = 0;
            ++tried[k + 1];
        }
    }
    return best;
}

}  // namespace

TEST_SUITE("plugins") {
    TEST_CASE("thresholds: up to three exits are solved exactly") {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            for (std::size_t exits = 1; exits <= 3; ++exits) {
                const auto seen = random_observations(exits, 12, seed);
                CAPTURE(seed);
                CAPTURE(exits);
                for (const bool counts_gains : {true, false}) {
                    CHECK(choose_thresholds(seen, {0.1, counts_gains}).expected_cost ==
                          doctest::Approx(least_cost(seen, {0.1, counts_gains})));
                }
            }
        }
    }

    TEST_CASE("thresholds: with more exits than can be tried all, the best is hardly missed") {
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            const auto seen = random_observations(5, 10, seed);
            CAPTURE(seed);
            CHECK(choose_thresholds(seen, {0.1, true}).expected_cost <=
                  1.02 * least_cost(seen, {0.1, true}));
        }
        // Merging has work to do: 64 thresholds each.
        const auto many = random_observations(5, 2000, 6);
        const auto choice = choose_thresholds(many, {0.02, true});
        CHECK(choice.accuracy >=
              outcome_of(many, std::vector<double>(5, kNever)).accuracy - 0.02 - 1e-9);
        for (std::size_t k = 0; k < 5; ++k) {
            // No single exit alone is as good as all together.
            ExitObservations alone;
            alone.confidence = {many.confidence[k]};
            alone.right = {many.right[k], many.right.back()};
            alone.cost = {many.cost[k], many.cost.back()};
            CHECK(choice.expected_cost < choose_thresholds(alone, {0.02, true}).expected_cost);
        }
    }

    TEST_CASE("thresholds: one exit and few samples are solved exactly") {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            const auto seen = random_observations(1, 30, seed);
            const auto choice = choose_thresholds(seen, {0.05, true});
            const double bound = outcome_of(seen, {kNever}).accuracy - 0.05;
            double best = outcome_of(seen, {kNever}).cost;
            for (const float t : seen.confidence[0]) {
                const auto outcome = outcome_of(seen, {t});
                if (outcome.accuracy >= bound - 1e-12) {
                    best = std::min(best, outcome.cost);
                }
            }
            CAPTURE(seed);
            CHECK(choice.expected_cost == doctest::Approx(best));
        }
    }

    TEST_CASE("thresholds: the figures are those of the samples") {
        for (std::size_t exits = 1; exits <= 3; ++exits) {
            const auto seen = random_observations(exits, 200, exits);
            const auto choice = choose_thresholds(seen, {0.02, true});
            const auto outcome = outcome_of(seen, choice.thresholds);
            CHECK(choice.accuracy == doctest::Approx(outcome.accuracy));
            CHECK(choice.expected_cost == doctest::Approx(outcome.cost));
            CHECK(choice.accuracy >=
                  outcome_of(seen, std::vector<double>(exits, kNever)).accuracy - 0.02 - 1e-9);
            double sum = 0;
            for (const double share : choice.share) {
                sum += share;
            }
            CHECK(sum == doctest::Approx(1.0));
        }
    }

    TEST_CASE("thresholds: exits that are always wrong are never taken") {
        auto seen = random_observations(2, 100, 9);
        for (auto& right : {&seen.right[0], &seen.right[1]}) {
            std::fill(right->begin(), right->end(), std::uint8_t{0});
        }
        const auto choice = choose_thresholds(seen, {0.0, true});
        const auto outcome = outcome_of(seen, choice.thresholds);
        CHECK(outcome.accuracy == doctest::Approx(outcome_of(seen, {kNever, kNever}).accuracy));
    }

    TEST_CASE("thresholds: an unlimited drop takes the cheapest exit") {
        const auto choice = choose_thresholds(random_observations(2, 100, 10), {1.0, true});
        CHECK(choice.share[0] > 0.9);
    }

    TEST_CASE("thresholds: squared errors of numbers are traded as right answers are") {
        // Ten samples; an exit that is as good as the end for the first six, which are surest.
        ExitObservations seen;
        seen.cost = {1, 3};
        seen.confidence.emplace_back();
        seen.right.resize(2);
        for (int i = 0; i < 10; ++i) {
            seen.confidence[0].push_back(0.9F - 0.05F * static_cast<float>(i));
            seen.right[0].push_back(i < 6 ? 0.95 : -1.5);
            seen.right[1].push_back(0.95);
        }
        const auto strict = choose_thresholds(seen, {0.0, true});
        CHECK(strict.share[0] == doctest::Approx(0.6));
        CHECK(strict.accuracy == doctest::Approx(0.95));
        const auto loose = choose_thresholds(seen, {0.25, true});  // one sample more costs 0.245
        CHECK(loose.share[0] == doctest::Approx(0.7));
        CHECK(loose.accuracy == doctest::Approx(0.705));
    }

    TEST_CASE("thresholds: where there is nothing to compare with nobody leaves") {
        auto seen = random_observations(2, 100, 11);
        std::fill(seen.confidence[0].begin(), seen.confidence[0].end(), -1.0F);
        const auto choice = choose_thresholds(seen, {1.0, true});
        CHECK(choice.thresholds[0] == kNever);
        CHECK(choice.share[0] == 0);
        CHECK(choice.share[1] > 0.9);
    }

    TEST_CASE("thresholds: without gains no more samples are lost than the bound says") {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            const auto seen = random_observations(3, 500, seed);
            const auto choice = choose_thresholds(seen, {0.02, false});
            CAPTURE(seed);
            CHECK(lost_by(seen, choice.thresholds, false) <= 0.02 + 1e-12);
            CHECK(choice.expected_cost >= choose_thresholds(seen, {0.02, true}).expected_cost);
        }
    }

    TEST_CASE(
        "thresholds: without gains about the bound is lost on other samples, with them far more") {
        constexpr std::size_t kSeeds = 40;
        constexpr double kBound = 0.01;
        double with_gains = 0;
        double without = 0;
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            const auto seen = overlapping_observations(1500, seed);
            const auto others = overlapping_observations(1500, seed + kSeeds);
            const auto drop = [&](bool counts_gains) {
                const auto choice = choose_thresholds(seen, {kBound, counts_gains});
                return lost_by(others, choice.thresholds, true) / kSeeds;
            };
            with_gains += drop(true);
            without += drop(false);
        }
        CHECK(without < 1.2 * kBound);
        CHECK(with_gains > 1.5 * kBound);
    }
}
