// Intervals over seeds.
#include "explore/statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace topress::explore;

TEST_SUITE("explore") {
    TEST_CASE("statistics: the interval is that of Student's t") {
        // mean 2, deviation 1, t(0.975, 2) = 4.302653: half width 4.302653 / sqrt(3)
        const Estimate found = estimate({1, 2, 3});
        CHECK(found.mean == doctest::Approx(2));
        CHECK(found.low == doctest::Approx(2 - 2.484138));
        CHECK(found.high == doctest::Approx(2 + 2.484138));
        CHECK_FALSE(found.decided());
    }

    TEST_CASE("statistics: one seed decides nothing") {
        const Estimate found = estimate({0.5});
        CHECK(found.mean == 0.5);
        CHECK(std::isinf(found.low));
        CHECK_FALSE(found.decided());
    }

    TEST_CASE("statistics: equal differences have no width") {
        CHECK(estimate({0.5, 0.5, 0.5}).low == doctest::Approx(0.5));
        CHECK(estimate({-0.5, -0.5}).decided());
        CHECK_FALSE(estimate({0, 0, 0}).decided());
    }
}
