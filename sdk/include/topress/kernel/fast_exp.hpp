// The exponentials of a softmax, many floats at once, as loops that a compiler turns into vectors.
#pragma once

#include <topress/kernel/vector_clones.hpp>

#include <cstdint>

namespace topress::kernel {

/// exp(x) of x <= 0, as a softmax has it that takes the largest away first; relative error below
/// 3e-7; 0 below -87.3; NaN stays NaN. No branch and no call, so loops over it are vectorised.
/// Method: exp(x) = 2^n exp(r) with |r| <= ln(2) / 2, exp(r) by its Taylor polynomial of degree 7.
inline __attribute__((always_inline)) float fast_exp(float x) {
    constexpr float kLowest = -87.3F;                // 2^n is a normal number down to here
    constexpr float kShift = 12582912.0F;            // 1.5 * 2^23: adding it rounds to an integer
    constexpr std::int32_t kShiftBits = 0x4B400000;  // of kShift; n is what is added to them
    constexpr std::int32_t kExponentBias = 127;
    const float inside = x < kLowest ? kLowest : x;  // in this form NaN stays NaN
    const float shifted = inside * 1.44269504F + kShift;
    const float n = shifted - kShift;
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
    // Unsigned, because those of a NaN may leave the range; the product with p is NaN all the same.
    const std::uint32_t exponent = __builtin_bit_cast(std::uint32_t, shifted) -
                                   static_cast<std::uint32_t>(kShiftBits - kExponentBias);
    const float value = p * __builtin_bit_cast(float, exponent << 23);
    return x < kLowest ? 0.0F : value;
}

/// values[i] = exp(values[i]) of values <= 0.
TOPRESS_VECTOR_CLONES
static inline void exp_in_place(float* values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        values[i] = fast_exp(values[i]);
    }
}

}  // namespace topress::kernel
