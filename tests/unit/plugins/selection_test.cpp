// Channel selection: ranking, rounding, guards, and the bisection to a target.
#include "pruning/selection.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace topress::pruning;

namespace {

std::vector<GroupImportance> random_groups(std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    std::vector<GroupImportance> groups;
    for (const std::int64_t channels : {16, 32, 64, 24}) {
        GroupImportance group{"g" + std::to_string(channels), {}, channels};
        for (std::int64_t c = 0; c < channels; ++c) {
            group.importance.push_back(uniform(generator));
        }
        groups.push_back(group);
    }
    return groups;
}

double count(const Kept& kept) {
    double total = 0;
    for (const auto& group : kept) {
        total += static_cast<double>(group.size());
    }
    return total;
}

}  // namespace

TEST_SUITE("plugins") {
    TEST_CASE("selection: the most important channels stay") {
        const std::vector<GroupImportance> groups{{"a", {0.9, 0.1, 0.8, 0.2}, 4}};
        const auto kept =
            select_above(groups, 0.5, {.round_to = 1, .minimum_channels = 1, .minimum_ratio = 0});
        CHECK(kept == Kept{{0, 2}});
    }

    TEST_CASE("selection: ties keep the lower index") {
        const std::vector<GroupImportance> groups{{"a", {0.5, 0.5, 0.5, 0.1}, 4}};
        const auto kept =
            select_above(groups, 0.6, {.round_to = 2, .minimum_channels = 2, .minimum_ratio = 0});
        CHECK(kept == Kept{{0, 1}});
    }

    TEST_CASE("selection: guards and rounding hold for every threshold") {
        const Guards guards{.round_to = 8, .minimum_channels = 8, .minimum_ratio = 0.3};
        const auto groups = random_groups(1);
        for (double threshold = -0.1; threshold < 1.1; threshold += 0.05) {
            const auto kept = select_above(groups, threshold, guards);
            for (std::size_t g = 0; g < groups.size(); ++g) {
                const auto size = static_cast<std::int64_t>(kept[g].size());
                CHECK(size % 8 == 0);
                CHECK(size >= fewest_channels(
                                  groups[g].initial_channels, groups[g].initial_channels, guards));
                CHECK(std::is_sorted(kept[g].begin(), kept[g].end()));
            }
        }
        CHECK(fewest_channels(64, 64, guards) == 24);
        CHECK(fewest_channels(4, 4, guards) == 4);
    }

    TEST_CASE("selection: bisection removes least for the target") {
        const Guards guards{.round_to = 1, .minimum_channels = 1, .minimum_ratio = 0};
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            const auto groups = random_groups(seed);
            const auto selection = select_to_target(groups, guards, 68.0, count);
            CAPTURE(seed);
            REQUIRE(selection.reached);
            CHECK(selection.size == 68.0);
        }
    }

    TEST_CASE(
        "selection: a group that loses half of its channels at once is held if others can go") {
        // Rounding to eight: the first group keeps 16 or 8 channels of ten units each.
        std::vector<GroupImportance> groups{{"large", {}, 16}, {"small", {}, 64}};
        for (int c = 0; c < 16; ++c) {
            groups[0].importance.push_back(0.1 + 0.001 * c);
        }
        for (int c = 0; c < 64; ++c) {
            groups[1].importance.push_back(0.11 + 0.01 * c);
        }
        const Guards guards{.round_to = 8, .minimum_channels = 8, .minimum_ratio = 0};
        const auto size = [](const Kept& kept) {
            return static_cast<double>(10 * kept[0].size() + kept[1].size());
        };
        const auto selection = select_to_target(groups, guards, 200, size);
        CHECK(selection.reached);
        CHECK(selection.kept[0].size() == 16);
        CHECK(selection.size == 200);
        // Below what the others can give, it goes after all.
        const auto less = select_to_target(groups, guards, 160, size);
        CHECK(less.reached);
        CHECK(less.kept[0].size() == 8);
        // A selection near the target is taken as the ranking has it.
        const auto near = select_to_target(groups, guards, 150, size);
        CHECK(near.size == 144);
    }

    TEST_CASE("selection: a target below the guards is reported") {
        const auto groups = random_groups(2);
        const auto selection = select_to_target(
            groups, {.round_to = 8, .minimum_channels = 8, .minimum_ratio = 0.1}, 10.0, count);
        CHECK_FALSE(selection.reached);
        CHECK(selection.size == 32.0);
    }

    TEST_CASE("selection: normalisation makes groups comparable") {
        std::vector<GroupImportance> groups{
            {"a", {10, 5}, 2}, {"b", {0.2, 0.1}, 2}, {"zero", {0, 0}, 2}};
        normalise(groups, Normalisation::Maximum);
        CHECK(groups[0].importance == std::vector<double>{1.0, 0.5});
        CHECK(groups[1].importance[1] == doctest::Approx(0.5));
        CHECK(groups[2].importance == std::vector<double>{0, 0});
    }
}
