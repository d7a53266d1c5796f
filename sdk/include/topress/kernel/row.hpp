// Sum and maximum of a row of floats, in lanes that a compiler turns into vectors.
#pragma once

#include <topress/kernel/vector_clones.hpp>

#include <cstdint>

namespace topress::kernel {

constexpr std::int64_t kRowLanes = 8;

/// The sum in double, lane by lane in a fixed order; 0 of nothing.
TOPRESS_VECTOR_CLONES
static inline double sum_of_row(const float* values, std::int64_t count) {
    double lanes[kRowLanes] = {};
    std::int64_t i = 0;
    for (; i + kRowLanes <= count; i += kRowLanes) {
        for (std::int64_t lane = 0; lane < kRowLanes; ++lane) {
            lanes[lane] += static_cast<double>(values[i + lane]);
        }
    }
    double sum = 0.0;
    for (; i < count; ++i) {
        sum += static_cast<double>(values[i]);
    }
    for (const double lane : lanes) {
        sum += lane;
    }
    return sum;
}

/// The largest value; NaN is passed over unless it comes first. Requires: count > 0.
TOPRESS_VECTOR_CLONES
static inline float largest_of_row(const float* values, std::int64_t count) {
    float lanes[kRowLanes];
    for (float& lane : lanes) {
        lane = values[0];
    }
    std::int64_t i = 0;
    for (; i + kRowLanes <= count; i += kRowLanes) {
        for (std::int64_t lane = 0; lane < kRowLanes; ++lane) {
            lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
        }
    }
    float largest = lanes[0];
    for (const float lane : lanes) {
        largest = lane > largest ? lane : largest;
    }
    for (; i < count; ++i) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

}  // namespace topress::kernel
