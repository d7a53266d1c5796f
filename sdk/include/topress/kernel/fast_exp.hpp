// The exponential of many floats at once, as loops that a compiler turns into vectors.
#pragma once

#include <topress/kernel/vector_clones.hpp>

#include <cstdint>

namespace topress::kernel {

/// exp(x), relative error below 3e-7; 0 below -87.3 and infinity above 88.7; NaN stays NaN. No
/// branch and no call, so loops over it are vectorised.
/// Method: exp(x) = 2^n exp(r) with |r| <= ln(2) / 2, exp(r) by its Taylor polynomial of degree 7.
inline __attribute__((always_inline)) float fast_exp(float x) {
    constexpr float kLowest = -87.3F;
    constexpr float kHighest = 88.7F;
    constexpr float kShift = 12582912.0F;         // 1.5 * 2^23: adding it rounds to an integer
    const float low = x < kLowest ? kLowest : x;  // in this form NaN stays NaN
    const float inside = low > kHighest ? kHighest : low;
    const float n = (inside * 1.44269504F + kShift) - kShift;
    // ln(2) in two parts, so that the product with n is exact in the first.
    const float r = (inside - n * 0.693359375F) + n * 2.12194440e-4F;
    float p = 1.9841270e-4F;
    p = p * r + 1.3888889e-3F;
    p = p * r + 8.3333333e-3F;
    p = p * r + 4.1666667e-2F;
    p = p * r + 1.6666667e-1F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    // NaN makes no integer: it is replaced here and comes back with p.
    const float number = n > -127.0F ? n : -127.0F;
    const auto exponent = static_cast<std::int32_t>(number);
    // 2^n in two factors, because 2^128 is no float.
    const std::int32_t half = exponent >> 1;
    const float first = __builtin_bit_cast(float, (half + 127) << 23);
    const float second = __builtin_bit_cast(float, (exponent - half + 127) << 23);
    const float value = p * first * second;
    const float above = x < kLowest ? 0.0F : value;
    return x > kHighest ? __builtin_inff() : above;
}

/// values[i] = exp(values[i]).
TOPRESS_VECTOR_CLONES
static inline void exp_in_place(float* values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        values[i] = fast_exp(values[i]);
    }
}

}  // namespace topress::kernel
