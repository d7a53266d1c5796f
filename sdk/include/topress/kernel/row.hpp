// Sum and maximum of a row of floats, in lanes that a compiler turns into vectors.
#pragma once

#include <topress/kernel/vector_clones.hpp>

#include <cstdint>

namespace topress::kernel {

constexpr std::int64_t kRowLanes = 8;
// A maximum waits for the one before it: four vectors wait at once.
constexpr std::int64_t kMaximumLanes = 32;

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
    float largest = values[0];
    std::int64_t i = 0;
    if (count >= kMaximumLanes) {
        float lanes[kMaximumLanes];
        for (float& lane : lanes) {
            lane = values[0];
        }
        for (; i + kMaximumLanes <= count; i += kMaximumLanes) {
            for (std::int64_t lane = 0; lane < kMaximumLanes; ++lane) {
                lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
            }
        }
        for (std::int64_t half = kMaximumLanes / 2; half > 0; half /= 2) {
            for (std::int64_t lane = 0; lane < half; ++lane) {
                lanes[lane] = lanes[lane + half] > lanes[lane] ? lanes[lane + half] : lanes[lane];
            }
        }
        largest = lanes[0];
    }
    for (; i < count; ++i) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

}  // namespace topress::kernel
