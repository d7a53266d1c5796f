// Tests quantization/allocation.cpp against trying everything.
#include "quantization/allocation.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

using namespace topress::quantization;

namespace {

using Items = std::vector<std::vector<Choice>>;

struct Total {
    double cost = 0;
    double loss = 0;
};

Total total_of(const Items& items, const std::vector<std::size_t>& chosen) {
    Total total;
    for (std::size_t i = 0; i < items.size(); ++i) {
        total.cost += items[i][chosen[i]].cost;
        total.loss += items[i][chosen[i]].loss;
    }
    return total;
}

/// The least loss within the budget over all combinations; infinite when none fits.
double least_loss(const Items& items, double budget) {
    double best = std::numeric_limits<double>::infinity();
    std::vector<std::size_t> chosen(items.size(), 0);
    while (true) {
        const Total total = total_of(items, chosen);
        if (total.cost <= budget) {
            best = std::min(best, total.loss);
        }
        std::size_t i = 0;
        while (i < items.size() && ++chosen[i] == items[i].size()) {
            chosen[i++] = 0;
        }
        if (i == items.size()) {
            return best;
        }
    }
}

Items random_items(std::mt19937& random, std::size_t count) {
    Items items(count);
    for (auto& choices : items) {
        const std::size_t size = 1 + random() % 5;
        for (std::size_t c = 0; c < size; ++c) {
            // Whole numbers: no rounding stands between two ways of adding, and ties happen.
            choices.push_back(
                {static_cast<double>(random() % 12), static_cast<double>(random() % 9)});
        }
    }
    return items;
}

}  // namespace

TEST_SUITE("quantization") {
    TEST_CASE("allocation: as good as the best of all combinations") {
        std::mt19937 random(3);
        int solved = 0;
        for (int round = 0; round < 2000; ++round) {
            const Items items = random_items(random, 1 + random() % 6);
            const auto budget = static_cast<double>(random() % 40);
            const double expected = least_loss(items, budget);
            const auto chosen = allocate(items, budget);
            CAPTURE(round);
            if (expected == std::numeric_limits<double>::infinity()) {
                CHECK(chosen.empty());
                continue;
            }
            REQUIRE(chosen.size() == items.size());
            const Total total = total_of(items, chosen);
            CHECK(total.cost <= budget);
            CHECK(total.loss == expected);
            ++solved;
        }
        CHECK(solved > 500);
    }

    TEST_CASE("allocation: among equal losses the cheapest") {
        const Items items{{{5, 1}, {2, 1}, {9, 1}}, {{4, 0}, {1, 0}}};
        CHECK(allocate(items, 100) == std::vector<std::size_t>{1, 1});
    }

    TEST_CASE("allocation: sixty layers of six widths are solved") {
        std::mt19937 random(5);
        Items items(60);
        double budget = 0;
        for (auto& choices : items) {
            const double macs = 1000.0 + static_cast<double>(random() % 90000);
            const double hurt = 1.0 + static_cast<double>(random() % 100);
            for (const double bits : {2.0, 3.0, 4.0, 5.0, 6.0, 8.0}) {
                choices.push_back({macs * bits * bits, hurt / (bits * bits * bits)});
            }
            budget += macs * 16;
        }
        const auto chosen = allocate(items, budget);
        REQUIRE(chosen.size() == 60);
        CHECK(total_of(items, chosen).cost <= budget * (1 + 1e-6));
        CHECK(total_of(items, chosen).loss < total_of(items, std::vector<std::size_t>(60, 2)).loss);
    }

    TEST_CASE("allocation: nothing to choose, and nothing that fits") {
        CHECK(allocate({}, 0).empty());
        CHECK(allocate({{{5, 0}}}, 4).empty());
        CHECK(allocate({{{1, 0}}, {}}, 4).empty());
    }
}
