// The scales that quantizers begin with: those of least squared error, found by trying some.
#pragma once

#include <topress/scales.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace topress {

/// What a quantizer of so many bits can tell apart: `bits` 1 to 16; one signed bit is a sign.
struct LevelRange {
    double low = 0;
    double high = 0;
};

[[nodiscard]] inline LevelRange level_range(int bits, bool is_signed) {
    const double high = std::exp2(is_signed ? bits - 1 : bits) - 1;
    return {is_signed ? -high - 1 : 0, high};
}

/// The scale of every row of least squared error, among fractions of the one that clips nothing; of
/// one signed bit the mean magnitude, which is exact. They begin closer than those of the LSQ paper
/// (arXiv 1902.08153), which take some epochs to shrink. Shape: values (rows, N) -> (rows).
[[nodiscard]] inline at::Tensor best_scales(const at::Tensor& values, int bits, bool is_signed) {
    constexpr int kTried = 40;
    if (bits == 1 && is_signed) {
        return values.abs().mean(1).clamp_min(kLeastScale).contiguous();
    }
    const LevelRange range = level_range(bits, is_signed);
    const at::Tensor largest = (values.abs().amax(1) / range.high).clamp_min(kLeastScale);
    at::Tensor best = largest.clone();
    at::Tensor least = at::full_like(largest, std::numeric_limits<double>::infinity());
    for (int i = kTried; i >= 1; --i) {
        const at::Tensor scale =
            (largest * (static_cast<double>(i) / kTried)).clamp_min(kLeastScale);
        const at::Tensor step = scale.unsqueeze(1);
        const at::Tensor rounded = (values / step).round().clamp(range.low, range.high) * step;
        const at::Tensor error = (rounded - values).square().sum(1);
        const at::Tensor better = error < least;
        best = at::where(better, scale, best);
        least = at::where(better, error, least);
    }
    return best.contiguous();
}

/// The best scales of a weight: one for every output channel, or one in all.
/// Shape: weight (out, ...) -> (out) or (1).
[[nodiscard]] inline at::Tensor weight_scales(const at::Tensor& weight,
                                              int bits,
                                              bool is_per_channel) {
    const std::int64_t rows = is_per_channel ? weight.size(0) : 1;
    return best_scales(weight.detach().reshape({rows, -1}), bits, true);
}

/// Evenly spread elements of an activation: enough for a scale, cheap to keep. Shape: any -> (1,
/// N).
[[nodiscard]] inline at::Tensor sample_of(const at::Tensor& activation) {
    constexpr std::int64_t kKept = 1 << 15;
    const at::Tensor flat = activation.detach().reshape({1, -1});
    const std::int64_t stride = std::max<std::int64_t>(1, flat.size(1) / kKept);
    return flat.slice(1, 0, flat.size(1), stride).clone();
}

/// Whether values of a sample ask for levels below zero.
[[nodiscard]] inline bool has_negative(const at::Tensor& sample) {
    return sample.min().item<double>() < 0;
}

}  // namespace topress
