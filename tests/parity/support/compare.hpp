// How close a kernel must come to its CPU reference, and seeded inputs for it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace topress::parity {

/// Limits on the distance of float results: sum of squared errors over sum of squares, and the
/// largest error relative to the largest value. Values below `floor` count as `floor`: results that
/// are zero but for rounding.
struct Limits {
    double nmse;
    double max_error;
    double floor = 0.0;
};

/// Checks `actual` against `expected`; NaN must meet NaN.
inline void check_close(const std::vector<float>& actual,
                        const std::vector<float>& expected,
                        Limits limits) {
    REQUIRE(actual.size() == expected.size());
    double squared_error = 0.0;
    double squares = 0.0;
    double largest_error = 0.0;
    double largest = limits.floor;
    std::size_t unlike_nan = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double a = static_cast<double>(actual[i]);
        const double e = static_cast<double>(expected[i]);
        if (std::isnan(a) || std::isnan(e)) {
            unlike_nan += std::isnan(a) != std::isnan(e) ? 1 : 0;
            continue;
        }
        squared_error += (a - e) * (a - e);
        squares += e * e;
        largest_error = std::max(largest_error, std::abs(a - e));
        largest = std::max(largest, std::abs(e));
    }
    CHECK(unlike_nan == 0);
    CHECK(squared_error <= limits.nmse * std::max(squares, limits.floor * limits.floor));
    CHECK(largest_error <= limits.max_error * largest);
}

/// Normal values, the same on every machine for a seed.
inline std::vector<float> normal_values(std::int64_t count, double deviation, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    constexpr double kTwoPi = 6.283185307179586;
    const auto uniform = [&random] {
        return (static_cast<double>(random() >> 11) + 0.5) / 9007199254740992.0;
    };
    for (float& value : values) {
        // Box-Muller: std::normal_distribution differs between libraries.
        value = static_cast<float>(deviation * std::sqrt(-2.0 * std::log(uniform())) *
                                   std::cos(kTwoPi * uniform()));
    }
    return values;
}

}  // namespace topress::parity
