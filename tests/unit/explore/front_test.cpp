// Accuracy at equal BitOps.
#include "explore/front.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace topress::explore;

namespace {

/// A network whose log BitOpsCR is `log_cr`.
Point at_log(double log_cr, double accuracy) {
    return {std::exp(log_cr), accuracy};
}

}  // namespace

TEST_SUITE("explore") {
    TEST_CASE("front: accuracy is interpolated over log BitOpsCR") {
        const Front front({at_log(0, 0.9), at_log(2, 0.8)});
        CHECK(front.accuracy_at(0) == doctest::Approx(0.9));
        CHECK(front.accuracy_at(0.5) == doctest::Approx(0.875));
        CHECK(front.accuracy_at(2) == doctest::Approx(0.8));
        CHECK(front.mean_accuracy(0, 2) == doctest::Approx(0.85));
        CHECK(front.mean_accuracy(1, 1) == doctest::Approx(0.85));
    }

    TEST_CASE("front: a network that another beats in both does not count") {
        const Front front({at_log(0, 0.9), at_log(1, 0.5), at_log(2, 0.8)});
        CHECK(front.accuracy_at(1) == doctest::Approx(0.85));
    }

    TEST_CASE("front: less compression is to be had at the accuracy of more") {
        const Front front({at_log(0, 0.7), at_log(1, 0.9), at_log(2, 0.8)});
        CHECK(front.accuracy_at(0.5) == doctest::Approx(0.9));
        CHECK(front.mean_accuracy(0, 2) == doctest::Approx((0.9 + 0.85) / 2));
    }

    TEST_CASE("front: orders are compared over the range that all of them cover") {
        // first: 0.8 at 1, 0.6 at 3; second: 0.8 at 2, 0.7 at 4. Range: 1 to 3.
        const auto means = mean_accuracies(
            {{at_log(1, 0.8), at_log(3, 0.6)}, {at_log(2, 0.8), at_log(4, 0.7)}}, 0.8);
        CHECK(means[0] == doctest::Approx(0.7));
        // 0.8 from 1 to 2, then falling to 0.75 at 3
        CHECK(means[1] == doctest::Approx((0.8 + 0.775) / 2));
    }

    TEST_CASE("front: with one network each the smaller compression is where they are compared") {
        const auto means = mean_accuracies({{at_log(1, 0.8)}, {at_log(2, 0.8)}}, 0.9);
        CHECK(means[0] == doctest::Approx(0.8));
        CHECK(means[1] == doctest::Approx(0.85));  // between the original and its network
    }

    TEST_CASE("front: equal networks have equal scores whatever their order") {
        const auto means = mean_accuracies(
            {{at_log(2, 0.7), at_log(1, 0.8)}, {at_log(1, 0.8), at_log(2, 0.7)}}, 0.9);
        CHECK(means[0] == means[1]);
    }
}
