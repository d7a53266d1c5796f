// LSQ fake quantization on the CPU: runs of contiguous elements that share a scale.
#include "fake_quant.hpp"

#include <topress/kernel/parallel.hpp>
#include <topress/kernel/vector_clones.hpp>

#include <algorithm>
#include <vector>

namespace topress::quantization {
namespace {

float round_half_even(float value) {
    return (value + kFakeQuantRoundingShift) - kFakeQuantRoundingShift;
}

float clamp(float value, float lo, float hi) {
    // In this form NaN stays NaN.
    const float above = value < lo ? lo : value;
    return above > hi ? hi : above;
}

// Calls run(offset of the first element, length) for the contiguous runs of elements [begin, end)
// of a channel, counted over (outer, inner).
template <typename Run>
void for_each_run(const FakeQuantShape& shape,
                  std::int64_t channel,
                  std::int64_t begin,
                  std::int64_t end,
                  const Run& run) {
    std::int64_t k = begin;
    while (k < end) {
        const std::int64_t o = k / shape.inner;
        const std::int64_t i = k % shape.inner;
        const std::int64_t length = std::min(shape.inner - i, end - k);
        run((o * shape.channels + channel) * shape.inner + i, length);
        k += length;
    }
}

// Calls body(channel, begin, end, item) for every piece of every channel.
template <typename Body>
void for_each_piece(const FakeQuantShape& shape, const Body& body) {
    const std::int64_t pieces = fake_quant_pieces(shape);
    kernel::for_each_item(shape.channels * pieces, shape.elements(), [&](std::int64_t item) {
        const std::int64_t begin = item % pieces * kFakeQuantPiece;
        const std::int64_t end = std::min(begin + kFakeQuantPiece, shape.per_channel());
        body(item / pieces, begin, end, item);
    });
}

struct Grid {
    float scale;
    float lo;
    float hi;
};

Grid grid_of(const float* scale, std::int64_t channel, const FakeQuantRange& range) {
    return {scale[channel], static_cast<float>(range.lo), static_cast<float>(range.hi)};
}

TOPRESS_VECTOR_CLONES
void quantize_run(const float* x, std::int64_t length, Grid grid, float* y) {
#pragma GCC ivdep  // y may be x, but nothing overlaps in part
    for (std::int64_t i = 0; i < length; ++i) {
        y[i] = round_half_even(clamp(x[i] / grid.scale, grid.lo, grid.hi)) * grid.scale;
    }
}

// Elements whose products are kept before they are added up, and running sums: both let vectors be
// used without changing the order of any sum.
constexpr std::int64_t kBlock = 256;
constexpr std::int64_t kLanes = 8;

// Writes grad_x of a block, and grad_y * d(y / s) / ds of every element: exact in double.
inline __attribute__((always_inline)) void differentiate_block(const float* grad_y,
                                                               const float* x,
                                                               std::int64_t count,
                                                               Grid grid,
                                                               float* grad_x,
                                                               double* __restrict products) {
#pragma GCC ivdep  // grad_x may be grad_y or x
    for (std::int64_t i = 0; i < count; ++i) {
        const float v = x[i] / grid.scale;
        const float clamped = clamp(v, grid.lo, grid.hi);
        const bool is_outside = clamped != v;  // NaN too, and its slope makes the sum NaN
        const float rounded = round_half_even(v) - v;
        const float slope = is_outside ? clamped : rounded;
        const float incoming = grad_y[i];
        grad_x[i] = is_outside ? 0.0f : incoming;
        products[i] = static_cast<double>(incoming) * static_cast<double>(slope);
    }
}

inline __attribute__((always_inline)) void add_lanes(const double* __restrict products,
                                                     std::int64_t count,
                                                     double* __restrict sums) {
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            sums[lane] += products[i + lane];
        }
    }
    for (std::int64_t lane = 0; i + lane < count; ++lane) {
        sums[lane] += products[i + lane];
    }
}

// Writes grad_x and returns the sum of grad_y * d(y / s) / ds.
TOPRESS_VECTOR_CLONES
double differentiate_run(
    const float* grad_y, const float* x, std::int64_t length, Grid grid, float* grad_x) {
    double sums[kLanes] = {};
    double products[kBlock];
    for (std::int64_t i = 0; i < length; i += kBlock) {
        const std::int64_t count = std::min(kBlock, length - i);
        differentiate_block(grad_y + i, x + i, count, grid, grad_x + i, products);
        add_lanes(products, count, sums);
    }
    double sum = 0.0;
    for (const double lane : sums) {
        sum += lane;
    }
    return sum;
}

}  // namespace

void fake_quant_forward_cpu(const float* x,
                            const float* scale,
                            const FakeQuantShape& shape,
                            const FakeQuantRange& range,
                            float* y) {
    require_fake_quant(shape, range, x, scale);
    kernel::require(y != nullptr || shape.elements() == 0, "fake_quant: y is null");
    for_each_piece(
        shape, [&](std::int64_t channel, std::int64_t begin, std::int64_t end, std::int64_t) {
            const Grid grid = grid_of(scale, channel, range);
            for_each_run(shape, channel, begin, end, [&](std::int64_t at, std::int64_t length) {
                quantize_run(x + at, length, grid, y + at);
            });
        });
}

void fake_quant_backward_cpu(const float* grad_y,
                             const float* x,
                             const float* scale,
                             const FakeQuantShape& shape,
                             const FakeQuantRange& range,
                             float scale_factor,
                             float* grad_x,
                             float* grad_scale) {
    require_fake_quant(shape, range, x, scale);
    kernel::require((grad_y != nullptr && grad_x != nullptr) || shape.elements() == 0,
                    "fake_quant: a gradient is null");
    kernel::require(grad_scale != nullptr || shape.channels == 0, "fake_quant: grad_scale is null");
    const std::int64_t pieces = fake_quant_pieces(shape);
    std::vector<double> sums(static_cast<std::size_t>(shape.channels * pieces), 0.0);
    double* const partial = sums.data();
    for_each_piece(
        shape, [&](std::int64_t channel, std::int64_t begin, std::int64_t end, std::int64_t item) {
            const Grid grid = grid_of(scale, channel, range);
            for_each_run(shape, channel, begin, end, [&](std::int64_t at, std::int64_t length) {
                partial[item] += differentiate_run(grad_y + at, x + at, length, grid, grad_x + at);
            });
        });
    for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
        double sum = 0.0;
        for (std::int64_t piece = 0; piece < pieces; ++piece) {
            sum += partial[channel * pieces + piece];
        }
        grad_scale[channel] = static_cast<float>(static_cast<double>(scale_factor) * sum);
    }
}

std::int64_t fake_quant_workspace_floats(const FakeQuantShape& shape) {
    return shape.channels * fake_quant_pieces(shape);
}

}  // namespace topress::quantization
