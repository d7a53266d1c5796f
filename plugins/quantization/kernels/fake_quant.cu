// LSQ fake quantization on the device: one kernel forward, two backward.
//
// Mapping: forward, a block of 256 threads per 1024 or 2048 elements, a thread one or two quads of
//          neighbours. Backward, a block per piece of 4096 elements of a channel, a thread four
//          quads: grad_x at once, one partial sum of grad_scale per block into the workspace; then
//          a warp per channel of up to 32 pieces, else 1024 threads, adds its partial sums.
// Bytes:   8 per element forward (x, y), 12 backward (grad_y, x, grad_x). A quad moves as 16 bytes
//          where all pointers are multiples of 16 and it lies in one channel, else as 4 times 4;
//          a thread loads what it needs before its first division.
// Numbers: the division is IEEE (__fdiv_rn), so y and grad_x equal the CPU's bit for bit. Which
//          thread adds which element depends on the shape alone: grad_scale has the same bits for
//          aligned and unaligned pointers.
// Source:  Esser et al. 2020, arXiv 1902.08153.
#include "fake_quant.hpp"

#include <topress/kernel/launch.cuh>

#include <cstdint>

namespace topress::quantization {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kLanes;
constexpr int kQuad = 4;  // floats in 16 bytes

// Below this a tensor does not fill a device: one pack a thread ends sooner than two.
constexpr std::int64_t kManyElements = 1 << 17;

constexpr int kQuadsPerThread = static_cast<int>(kFakeQuantPiece) / (kThreads * kQuad);
constexpr int kQuadsInFlight = 2;  // loaded before the first of them is used
static_assert(kQuadsPerThread * kThreads * kQuad == kFakeQuantPiece,
              "a block must cover its piece");
static_assert(kQuadsPerThread % kQuadsInFlight == 0, "quads are loaded in full groups");

constexpr std::int64_t kPiecesPerWarp = kLanes;  // a warp then has one partial sum per lane
constexpr int kWideWarps = 32;
constexpr int kSumsInFlight = 8;

struct Grid {
    float scale;
    float lo;
    float hi;
};

struct ForwardWork {
    const float* x;
    const float* scale;
    FakeQuantShape shape;
    float lo;
    float hi;
    float* y;
};

struct BackwardWork {
    const float* grad_y;
    const float* x;
    const float* scale;
    FakeQuantShape shape;
    float lo;
    float hi;
    float* grad_x;
    float* partial;
    std::uint32_t pieces;  // of a channel
    bool has_quads;
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

// x / scale, rounded as IEEE has it. Zero is its own quotient, sign included, and is common after a
// ReLU: nvcc's division would leave its short path for it, with the whole warp.
__device__ inline float divide(float x, float scale) {
    const bool is_zero = x == 0.0f;
    const float quotient = __fdiv_rn(is_zero ? scale : x, scale);
    return is_zero ? x : quotient;
}

__device__ inline float quantize(float x, Grid grid) {
    return round_half_even(clamp(divide(x, grid.scale), grid.lo, grid.hi)) * grid.scale;
}

__device__ inline float4 quantize(float4 x, Grid grid) {
    return make_float4(
        quantize(x.x, grid), quantize(x.y, grid), quantize(x.z, grid), quantize(x.w, grid));
}

// Returns the gradient of x and adds the term of grad_scale to `sum`, in one rounding: left to the
// compiler, two loops over the same elements could round differently.
__device__ inline float differentiate(float incoming, float x, Grid grid, float& sum) {
    const float v = divide(x, grid.scale);
    const float clamped = clamp(v, grid.lo, grid.hi);
    const bool is_outside = clamped != v;  // NaN too, and its slope makes the sum NaN
    const float slope = is_outside ? clamped : round_half_even(v) - v;
    sum = __fmaf_rn(incoming, slope, sum);
    return is_outside ? 0.0f : incoming;
}

__device__ inline float4 differentiate(float4 incoming, float4 x, Grid grid, float& sum) {
    float4 outgoing;
    outgoing.x = differentiate(incoming.x, x.x, grid, sum);
    outgoing.y = differentiate(incoming.y, x.y, grid, sum);
    outgoing.z = differentiate(incoming.z, x.z, grid, sum);
    outgoing.w = differentiate(incoming.w, x.w, grid, sum);
    return outgoing;
}

// The sum over the block, in every thread; warps add up in order.
template <int WARPS>
__device__ float sum_block(float own) {
    for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2) {
        own += __shfl_xor_sync(kFullMask, own, lane_mask);
    }
    if constexpr (WARPS == 1) {
        return own;
    }
    __shared__ float partial[WARPS];
    if (threadIdx.x % kLanes == 0) {
        partial[threadIdx.x / kLanes] = own;
    }
    __syncthreads();
    float total = 0.0f;
    for (int warp = 0; warp < WARPS; ++warp) {
        total += partial[warp];
    }
    return total;
}

// A Pack is a float, or a float4 that lies in one channel. Index is 32 bits wide where the tensor
// allows it: the division by a channel's packs is then not felt.
template <typename Pack, int PACKS, typename Index>
__global__ void __launch_bounds__(kThreads) fake_quant_forward_kernel(ForwardWork work) {
    constexpr int kWidth = sizeof(Pack) / sizeof(float);
    const FakeQuantShape& shape = work.shape;
    const Index elements = static_cast<Index>(shape.outer * shape.channels * shape.inner);
    const Index packs = elements / kWidth;
    const Index channels = static_cast<Index>(shape.channels);
    const Index run = static_cast<Index>(shape.inner) / kWidth;
    const Index first = static_cast<Index>(blockIdx.x) * (kThreads * PACKS) + threadIdx.x;
    const Pack* const x = reinterpret_cast<const Pack*>(work.x);
    Pack* const y = reinterpret_cast<Pack*>(work.y);
    Pack own[PACKS] = {};
    for (int i = 0; i < PACKS; ++i) {
        const Index at = first + i * kThreads;
        if (at < packs) {
            own[i] = x[at];
        }
    }
    for (int i = 0; i < PACKS; ++i) {
        const Index at = first + i * kThreads;
        if (at < packs) {
            const Index channel = channels == 1 ? 0 : at / run % channels;
            y[at] = quantize(own[i], {__ldg(work.scale + channel), work.lo, work.hi});
        }
    }
    // What no pack covers: only where the tensor is one channel.
    const Index rest = packs * kWidth + threadIdx.x;
    if (blockIdx.x == 0 && rest < elements) {
        work.y[rest] = quantize(work.x[rest], {__ldg(work.scale), work.lo, work.hi});
    }
}

// Elements [begin, begin + count) of a channel, counted over (outer, inner).
struct Piece {
    std::int64_t channel;
    std::int64_t begin;
    int count;
};

__device__ inline Piece piece_of_block(const BackwardWork& work) {
    const std::int64_t begin =
        static_cast<std::int64_t>(blockIdx.x % work.pieces) * kFakeQuantPiece;
    const std::int64_t left = work.shape.outer * work.shape.inner - begin;
    return {blockIdx.x / work.pieces,
            begin,
            static_cast<int>(left < kFakeQuantPiece ? left : kFakeQuantPiece)};
}

// Where element k of the piece is in the tensor.
__device__ inline std::int64_t place(const FakeQuantShape& shape, const Piece& piece, int k) {
    const std::int64_t in_channel = piece.begin + k;
    const std::int64_t at = piece.channel * shape.inner + in_channel;
    const bool is_one_run = shape.outer == 1 || shape.channels == 1;
    return is_one_run ? at : at + in_channel / shape.inner * (shape.channels - 1) * shape.inner;
}

__device__ inline void differentiate_at(
    const BackwardWork& work, const Piece& piece, int k, Grid grid, float& sum) {
    const std::int64_t at = place(work.shape, piece, k);
    work.grad_x[at] = differentiate(work.grad_y[at], work.x[at], grid, sum);
}

// The thread's quads of the piece, each moved as 16 bytes; returns their sum.
__device__ inline float differentiate_vectors(const BackwardWork& work,
                                              const Piece& piece,
                                              Grid grid) {
    float sum = 0.0f;
    for (int q = 0; q < kQuadsPerThread; q += kQuadsInFlight) {
        float4 incoming[kQuadsInFlight] = {};
        float4 x[kQuadsInFlight] = {};
        std::int64_t at[kQuadsInFlight] = {};
        bool is_whole[kQuadsInFlight] = {};
        for (int i = 0; i < kQuadsInFlight; ++i) {
            const int k = (static_cast<int>(threadIdx.x) + (q + i) * kThreads) * kQuad;
            is_whole[i] = k + kQuad <= piece.count;
            if (is_whole[i]) {
                at[i] = place(work.shape, piece, k);
                incoming[i] = *reinterpret_cast<const float4*>(work.grad_y + at[i]);
                x[i] = *reinterpret_cast<const float4*>(work.x + at[i]);
            }
        }
        for (int i = 0; i < kQuadsInFlight; ++i) {
            if (is_whole[i]) {
                *reinterpret_cast<float4*>(work.grad_x + at[i]) =
                    differentiate(incoming[i], x[i], grid, sum);
            }
        }
    }
    // A last quad that is not whole belongs to the thread whose turn it is.
    const int whole = piece.count / kQuad * kQuad;
    if (static_cast<int>(threadIdx.x) == whole / kQuad % kThreads) {
        for (int k = whole; k < piece.count; ++k) {
            differentiate_at(work, piece, k, grid, sum);
        }
    }
    return sum;
}

// The same element by element: in the order of differentiate_vectors where the shape has quads,
// else neighbouring threads take neighbouring elements.
__device__ inline float differentiate_elements(const BackwardWork& work,
                                               const Piece& piece,
                                               Grid grid) {
    const int thread = static_cast<int>(threadIdx.x);
    const int first = work.has_quads ? thread * kQuad : thread;
    const int step = work.has_quads ? 1 : kThreads;
    float sum = 0.0f;
    for (int q = 0; q < kQuadsPerThread; ++q) {
        float incoming[kQuad] = {};
        float x[kQuad] = {};
        std::int64_t at[kQuad] = {};
        bool is_inside[kQuad] = {};
        for (int i = 0; i < kQuad; ++i) {
            const int k = q * kThreads * kQuad + first + i * step;
            is_inside[i] = k < piece.count;
            if (is_inside[i]) {
                at[i] = place(work.shape, piece, k);
                incoming[i] = work.grad_y[at[i]];
                x[i] = work.x[at[i]];
            }
        }
        for (int i = 0; i < kQuad; ++i) {
            if (is_inside[i]) {
                work.grad_x[at[i]] = differentiate(incoming[i], x[i], grid, sum);
            }
        }
    }
    return sum;
}

template <bool VECTORS>
__global__ void __launch_bounds__(kThreads) fake_quant_backward_kernel(BackwardWork work) {
    const Piece piece = piece_of_block(work);
    const Grid grid{__ldg(work.scale + piece.channel), work.lo, work.hi};
    const float sum = VECTORS ? differentiate_vectors(work, piece, grid)
                              : differentiate_elements(work, piece, grid);
    const float total = sum_block<kWarps>(sum);
    if (threadIdx.x == 0) {
        work.partial[blockIdx.x] = total;
    }
}

template <int WARPS>
__global__ void __launch_bounds__(WARPS* kLanes) fake_quant_scale_kernel(const float* partial,
                                                                         std::uint32_t pieces,
                                                                         float scale_factor,
                                                                         float* grad_scale) {
    constexpr std::uint32_t kStride = WARPS * kLanes;
    const float* const own = partial + static_cast<std::int64_t>(blockIdx.x) * pieces;
    float sums[kSumsInFlight] = {};
    for (std::uint32_t piece = threadIdx.x; piece < pieces; piece += kStride * kSumsInFlight) {
        for (std::uint32_t i = 0; i < kSumsInFlight; ++i) {
            const std::uint32_t at = piece + i * kStride;
            sums[i] += at < pieces ? own[at] : 0.0f;
        }
    }
    float sum = 0.0f;
    for (const float part : sums) {
        sum += part;
    }
    sum = sum_block<WARPS>(sum);
    if (threadIdx.x == 0) {
        grad_scale[blockIdx.x] = scale_factor * sum;
    }
}

bool is_aligned(const float* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % sizeof(float4) == 0;
}

// Whether four neighbours of a channel, counted from its first element in steps of four, are
// neighbours in memory too.
bool has_quads(const FakeQuantShape& shape) {
    return shape.channels == 1 || shape.inner % kQuad == 0;
}

template <typename Pack, int PACKS, typename Index>
void launch_forward(const ForwardWork& work, void* stream) {
    constexpr std::int64_t kPerBlock = kThreads * PACKS * sizeof(Pack) / sizeof(float);
    TOPRESS_LAUNCH((fake_quant_forward_kernel<Pack, PACKS, Index>),
                   kernel::grid_blocks(work.shape.elements(), kPerBlock),
                   kThreads,
                   0,
                   stream,
                   work);
}

template <typename Pack>
void launch_forward_of(const ForwardWork& work, void* stream) {
    const std::int64_t elements = work.shape.elements();
    if (elements < kManyElements) {
        launch_forward<Pack, 1, std::uint32_t>(work, stream);
    } else if (elements < INT64_C(1) << 31) {  // no 32-bit index overflows, the last block's too
        launch_forward<Pack, 2, std::uint32_t>(work, stream);
    } else {
        launch_forward<Pack, 2, std::uint64_t>(work, stream);
    }
}

void launch_backward(const BackwardWork& work, void* stream) {
    const unsigned blocks = kernel::grid_blocks(work.shape.channels * work.pieces, 1);
    if (work.has_quads && is_aligned(work.grad_y) && is_aligned(work.x) &&
        is_aligned(work.grad_x)) {
        TOPRESS_LAUNCH(fake_quant_backward_kernel<true>, blocks, kThreads, 0, stream, work);
    } else {
        TOPRESS_LAUNCH(fake_quant_backward_kernel<false>, blocks, kThreads, 0, stream, work);
    }
}

template <int WARPS>
void launch_scale(const BackwardWork& work, float scale_factor, float* grad_scale, void* stream) {
    TOPRESS_LAUNCH(fake_quant_scale_kernel<WARPS>,
                   kernel::grid_blocks(work.shape.channels, 1),
                   WARPS * kLanes,
                   0,
                   stream,
                   work.partial,
                   work.pieces,
                   scale_factor,
                   grad_scale);
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
    if (shape.elements() == 0) {
        return;
    }
    const ForwardWork work{
        x, scale, shape, static_cast<float>(range.lo), static_cast<float>(range.hi), y};
    if (has_quads(shape) && is_aligned(x) && is_aligned(y)) {
        launch_forward_of<float4>(work, stream);
    } else {
        launch_forward_of<float>(work, stream);
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
    const BackwardWork work{grad_y,
                            x,
                            scale,
                            shape,
                            static_cast<float>(range.lo),
                            static_cast<float>(range.hi),
                            grad_x,
                            workspace,
                            kernel::grid_blocks(fake_quant_pieces(shape), 1),
                            has_quads(shape)};
    if (!is_empty) {
        launch_backward(work, stream);
    }
    if (work.pieces <= kPiecesPerWarp) {
        launch_scale<1>(work, scale_factor, grad_scale, stream);
    } else {
        launch_scale<kWideWarps>(work, scale_factor, grad_scale, stream);
    }
}

}  // namespace topress::quantization
