// LSQ fake quantization, forward and backward: the contract of CPU reference and CUDA launchers.
#pragma once

#include <topress/kernel/arguments.hpp>

#include <cstdint>

namespace topress::quantization {

/// A contiguous tensor seen as (outer, channels, inner), with one scale per channel. One scale for
/// the whole tensor is (1, 1, numel); the output channels of a weight are (1, Cout, rest).
struct FakeQuantShape {
    std::int64_t outer = 0;
    std::int64_t channels = 0;
    std::int64_t inner = 0;

    [[nodiscard]] constexpr std::int64_t elements() const { return outer * channels * inner; }

    [[nodiscard]] constexpr std::int64_t per_channel() const { return outer * inner; }
};

/// The integers of the grid, both ends included: [-8, 7] for 4 bits signed, [0, 15] unsigned.
/// Requires: lo < hi, both within +-2^21 (a float then rounds them exactly).
struct FakeQuantRange {
    std::int32_t lo = 0;
    std::int32_t hi = 0;
};

constexpr std::int32_t kFakeQuantLimit = 1 << 21;

/// Adding and taking away 1.5 * 2^23 rounds a float below 2^22 half to even, as rintf does but for
/// the sign of zero. It is two additions: loops over it become vector code on every processor.
constexpr float kFakeQuantRoundingShift = 12582912.0f;

/// y = round_half_even(clamp(x / s, lo, hi)) * s, all in float: device and CPU agree bit for bit.
/// Shape:    x, y as `shape`, y may be x; scale (channels), above 0. NaN stays NaN,
///           zero is never negative.
/// Throws:   std::invalid_argument for null pointers, negative sizes, a wrong range.
/// Cost:     8 bytes per element.
/// Source:   Esser et al. 2020, arXiv 1902.08153, equations 1 and 2.
void fake_quant_forward_cpu(const float* x,
                            const float* scale,
                            const FakeQuantShape& shape,
                            const FakeQuantRange& range,
                            float* y);

/// Gradients by the straight-through estimator. With v = x / s:
///     grad_x     = grad_y where lo <= v <= hi, else 0
///     grad_scale = scale_factor * sum over the channel of
///                  grad_y * (round(v) - v inside, lo below, hi above)
/// Shape:    grad_y, x, grad_x as `shape`, grad_x may be grad_y; scale, grad_scale (channels).
/// Result:   grad_x is exact; grad_scale adds up in double in fixed pieces: equal bits for any
/// threads. Throws:   as fake_quant_forward_cpu. Cost:     12 bytes per element. Source:   Esser et
/// al. 2020, arXiv 1902.08153, equations 3 to 5; scale_factor is its g.
void fake_quant_backward_cpu(const float* grad_y,
                             const float* x,
                             const float* scale,
                             const FakeQuantShape& shape,
                             const FakeQuantRange& range,
                             float scale_factor,
                             float* grad_x,
                             float* grad_scale);

/// fake_quant_forward_cpu on the device. `stream` is a cudaStream_t. Pointers may have any
/// alignment: multiples of 16 bytes are faster and give the same bits, here and backward.
/// Throws: as there; std::runtime_error when a launch fails.
void launch_fake_quant_forward(const float* x,
                               const float* scale,
                               const FakeQuantShape& shape,
                               const FakeQuantRange& range,
                               float* y,
                               void* stream);

/// Floats of device memory that launch_fake_quant_backward needs as workspace.
std::int64_t fake_quant_workspace_floats(const FakeQuantShape& shape);

/// fake_quant_backward_cpu on the device: two launches, no atomics, equal bits for equal inputs.
/// `workspace` holds fake_quant_workspace_floats(shape) floats and overlaps nothing; its contents
/// are lost. Throws: as fake_quant_forward_cpu; std::runtime_error when a launch fails.
void launch_fake_quant_backward(const float* grad_y,
                                const float* x,
                                const float* scale,
                                const FakeQuantShape& shape,
                                const FakeQuantRange& range,
                                float scale_factor,
                                float* grad_x,
                                float* grad_scale,
                                float* workspace,
                                void* stream);

/// The argument check that all share.
inline void require_fake_quant(const FakeQuantShape& shape,
                               const FakeQuantRange& range,
                               const float* x,
                               const float* scale) {
    using kernel::require;
    require(shape.outer >= 0 && shape.channels >= 0 && shape.inner >= 0,
            "fake_quant: a size is negative");
    require(range.lo < range.hi && range.lo >= -kFakeQuantLimit && range.hi <= kFakeQuantLimit,
            "fake_quant: lo must be below hi, both within 2^21");
    require(x != nullptr || shape.elements() == 0, "fake_quant: x is null");
    require(scale != nullptr || shape.channels == 0, "fake_quant: scale is null");
}

/// Elements of one channel that are summed as one piece; on the device one block sums a piece.
constexpr std::int64_t kFakeQuantPiece = 4096;

/// Pieces of a channel: a property of the shape alone, so that sums do not depend on the device.
constexpr std::int64_t fake_quant_pieces(const FakeQuantShape& shape) {
    return kernel::ceil_div(shape.per_channel(), kFakeQuantPiece);
}

}  // namespace topress::quantization
