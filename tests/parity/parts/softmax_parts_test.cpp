// What the softmax of the fast CPU paths is made of: exponentials, largest values and sums of rows.
#include "parity/support/compare.hpp"

#include <topress/kernel/fast_exp.hpp>
#include <topress/kernel/row.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace topress::parity {

TEST_CASE("softmax parts: exponentials are within 3e-7 down to where floats are normal") {
    double worst = 0.0;
    for (int i = 0; i <= 873000; ++i) {
        const float x = static_cast<float>(i) * -1e-4F;
        const double exact = std::exp(static_cast<double>(x));
        worst = std::max(worst, std::abs(static_cast<double>(kernel::fast_exp(x)) / exact - 1.0));
    }
    CHECK(worst < 3e-7);
    CHECK(kernel::fast_exp(0.0F) == 1.0F);
    CHECK(kernel::fast_exp(-87.4F) == 0.0F);
    CHECK(kernel::fast_exp(-std::numeric_limits<float>::infinity()) == 0.0F);
    CHECK(std::isnan(kernel::fast_exp(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("softmax parts: exponentials side by side are those one by one") {
    std::vector<float> values = normal_values(1003, 20.0, 3);
    for (float& value : values) {
        value = -std::abs(value);
    }
    values[7] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> together = values;
    kernel::exp_in_place(together.data(), static_cast<std::int64_t>(together.size()));
    std::transform(values.begin(), values.end(), values.begin(), kernel::fast_exp);
    check_close(together, values, {0.0, 0.0});
}

TEST_CASE("softmax parts: largest value and sum of a row of any length") {
    for (const std::int64_t count : {1, 2, 7, 8, 9, 31, 32, 33, 64, 100, 1000}) {
        std::vector<float> row = normal_values(count, 3.0, 5);
        for (const std::int64_t place : {std::int64_t{0}, count / 2, count - 1}) {
            CAPTURE(count);
            CAPTURE(place);
            std::vector<float> with_peak = row;
            with_peak[static_cast<std::size_t>(place)] = 50.0F;
            CHECK(kernel::largest_of_row(with_peak.data(), count) == 50.0F);
        }
        CHECK(kernel::largest_of_row(row.data(), count) ==
              *std::max_element(row.begin(), row.end()));
        CHECK(kernel::sum_of_row(row.data(), count) ==
              doctest::Approx(std::accumulate(row.begin(), row.end(), 0.0)).epsilon(1e-12));
    }
}

}  // namespace topress::parity
