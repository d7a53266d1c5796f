// LSQ fake quantization on the device: one kernel forward, two backward.
//
// Mapping: forward, a thread per element, blocks striding over the tensor. Backward, a block of 256
//          threads per piece of 4096 elements of a channel: grad_x at once, one partial sum of
//          grad_scale per block into the workspace; then one block per channel adds its partial
//          sums in order.
// Bytes:   8 per element forward (x, y), 12 backward (grad_y, x, grad_x).
// Numbers: the division is IEEE (nvcc's default), so y and grad_x equal the CPU's bit for bit.
// Source:  Esser et al. 2020, arXiv 1902.08153.
#include "fake_quant.hpp"

#include <topress/kernel/launch.cuh>

#include <algorithm>

namespace topress::quantization {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kLanes;
constexpr std::int64_t kMostForwardBlocks = 4096;  // enough to fill any device; threads then stride

struct Grid {
    float scale;
    float lo;
    float hi;
};

__device__ inline float clamp(float value, float lo, float hi) {
    // In this form NaN stays NaN; fmaxf and fminf would drop it.
    const float above = value < lo ? lo : value;
    return above > hi ? hi : above;
}

// As the CPU: two additions, halves to even, and no negative zero (which rintf would give).
__device__ inline float round_half_even(float value) {
    return __fadd_rn(__fadd_rn(value, kFakeQuantRoundingShift), -kFakeQuantRoundingShift);
}

__device__ inline float quantize(float x, Grid grid) {
    return round_half_even(clamp(__fdiv_rn(x, grid.scale), grid.lo, grid.hi)) * grid.scale;
}

// The sum over the block, in every thread; warps add up in order.
__device__ float sum_block(float own) {
    __shared__ float partial[kWarps];
    for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2) {
        own += __shfl_xor_sync(kFullMask, own, lane_mask);
    }
    if (threadIdx.x % kLanes == 0) {
        partial[threadIdx.x / kLanes] = own;
    }
    __syncthreads();
    float total = 0.0f;
    for (int warp = 0; warp < kWarps; ++warp) {
        total += partial[warp];
    }
    return total;
}

// Index is 32 bits wide where the tensor allows it: the division by `inner` is then not felt.
template <typename Index>
__global__ void fake_quant_forward_kernel(
    const float* x, const float* scale, FakeQuantShape shape, float lo, float hi, float* y) {
    const Index elements = static_cast<Index>(shape.outer * shape.channels * shape.inner);
    const Index channels = static_cast<Index>(shape.channels);
    const Index inner = static_cast<Index>(shape.inner);
    const Index stride = static_cast<Index>(gridDim.x) * kThreads;
    for (Index k = static_cast<Index>(blockIdx.x) * kThreads + threadIdx.x; k < elements;
         k += stride) {
        const Index channel = channels == 1 ? 0 : k / inner % channels;
        y[k] = quantize(x[k], {__ldg(scale + channel), lo, hi});
    }
}

__global__ void fake_quant_backward_kernel(const float* grad_y,
                                           const float* x,
                                           const float* scale,
                                           FakeQuantShape shape,
                                           float lo,
                                           float hi,
                                           std::int64_t pieces,
                                           float* grad_x,
                                           float* partial) {
    const std::int64_t channel = blockIdx.x / pieces;
    const std::int64_t begin = blockIdx.x % pieces * kFakeQuantPiece;
    const std::int64_t past = begin + kFakeQuantPiece;
    const std::int64_t per_channel = shape.outer * shape.inner;
    const std::int64_t end = past < per_channel ? past : per_channel;
    const float s = __ldg(scale + channel);
    float sum = 0.0f;
    for (std::int64_t k = begin + threadIdx.x; k < end; k += kThreads) {
        const std::int64_t o = shape.outer == 1 ? 0 : k / shape.inner;
        const std::int64_t at =
            (o * shape.channels + channel) * shape.inner + (k - o * shape.inner);
        const float incoming = grad_y[at];
        const float v = __fdiv_rn(x[at], s);
        const float clamped = clamp(v, lo, hi);
        const bool is_outside = clamped != v;  // NaN too, and its slope makes the sum NaN
        const float slope = is_outside ? clamped : round_half_even(v) - v;
        grad_x[at] = is_outside ? 0.0f : incoming;
        sum += incoming * slope;
    }
    sum = sum_block(sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

__global__ void fake_quant_scale_kernel(const float* partial,
                                        std::int64_t pieces,
                                        float scale_factor,
                                        float* grad_scale) {
    const std::int64_t channel = blockIdx.x;
    float sum = 0.0f;
    for (std::int64_t piece = threadIdx.x; piece < pieces; piece += kThreads) {
        sum += partial[channel * pieces + piece];
    }
    sum = sum_block(sum);
    if (threadIdx.x == 0) {
        grad_scale[channel] = scale_factor * sum;
    }
}

}  // namespace

void launch_fake_quant_forward(const float* x,
                               const float* scale,
                               const FakeQuantShape& shape,
                               const FakeQuantRange& range,
                               float* y,
                               void* stream) {
    require_fake_quant(shape, range, x, scale);
    kernel::require(y != nullptr || shape.elements() == 0, "fake_quant: y is null");
    const std::int64_t elements = shape.elements();
    if (elements == 0) {
        return;
    }
    const unsigned blocks =
        static_cast<unsigned>(std::min(kernel::ceil_div(elements, kThreads), kMostForwardBlocks));
    const float lo = static_cast<float>(range.lo);
    const float hi = static_cast<float>(range.hi);
    // Below 2^31 elements no 32-bit index overflows, the last stride included.
    if (elements < INT64_C(1) << 31) {
        TOPRESS_LAUNCH((fake_quant_forward_kernel<std::uint32_t>),
                       blocks,
                       kThreads,
                       0,
                       stream,
                       x,
                       scale,
                       shape,
                       lo,
                       hi,
                       y);
    } else {
        TOPRESS_LAUNCH((fake_quant_forward_kernel<std::uint64_t>),
                       blocks,
                       kThreads,
                       0,
                       stream,
                       x,
                       scale,
                       shape,
                       lo,
                       hi,
                       y);
    }
}

void launch_fake_quant_backward(const float* grad_y,
                                const float* x,
                                const float* scale,
                                const FakeQuantShape& shape,
                                const FakeQuantRange& range,
                                float scale_factor,
                                float* grad_x,
                                float* grad_scale,
                                float* workspace,
                                void* stream) {
    require_fake_quant(shape, range, x, scale);
    const bool is_empty = shape.elements() == 0;
    kernel::require((grad_y != nullptr && grad_x != nullptr && workspace != nullptr) || is_empty,
                    "fake_quant: a gradient or the workspace is null");
    kernel::require(grad_scale != nullptr || shape.channels == 0, "fake_quant: grad_scale is null");
    if (shape.channels == 0) {
        return;
    }
    const std::int64_t pieces = fake_quant_pieces(shape);
    if (!is_empty) {
        const unsigned blocks = kernel::grid_blocks(shape.channels * pieces, 1);
        TOPRESS_LAUNCH(fake_quant_backward_kernel,
                       blocks,
                       kThreads,
                       0,
                       stream,
                       grad_y,
                       x,
                       scale,
                       shape,
                       static_cast<float>(range.lo),
                       static_cast<float>(range.hi),
                       pieces,
                       grad_x,
                       workspace);
    }
    TOPRESS_LAUNCH(fake_quant_scale_kernel,
                   kernel::grid_blocks(shape.channels, 1),
                   kThreads,
                   0,
                   stream,
                   workspace,
                   pieces,
                   scale_factor,
                   grad_scale);
}

}  // namespace topress::quantization
