// The passes of batch norm over memory, forward and backward.
#include "network/operators/norm_kernel.hpp"

#include "network/operators/norm_tiles.hpp"

#include <topress/kernel/vector_clones.hpp>

#include <utility>

namespace topress::network {
namespace {

template <bool kRelu, bool kResidual>
inline __attribute__((always_inline)) void forward_span(const float* x,
                                                        const float* residual,
                                                        const float* __restrict scale,
                                                        const float* __restrict shift,
                                                        std::int64_t size,
                                                        float* y) {
#pragma GCC ivdep
    for (std::int64_t j = 0; j < size; ++j) {
        float value = x[j] * scale[j] + shift[j];
        if (kResidual) {
            value += residual[j];
        }
        y[j] = kRelu && value < 0 ? 0.0F : value;  // what is not a number stays so
    }
}

template <bool kRelu, bool kResidual>
inline __attribute__((always_inline)) void forward_all(const float* x,
                                                       const float* residual,
                                                       const float* scale,
                                                       const float* shift,
                                                       std::int64_t size,
                                                       std::int64_t tile,
                                                       float* y) {
    std::int64_t i = 0;
    for (; i + tile <= size; i += tile) {
        forward_span<kRelu, kResidual>(
            x + i, kResidual ? residual + i : nullptr, scale, shift, tile, y + i);
    }
    forward_span<kRelu, kResidual>(
        x + i, kResidual ? residual + i : nullptr, scale, shift, size - i, y + i);
}

TOPRESS_VECTOR_CLONES
void forward_piece(const float* x,
                   const float* residual,
                   const float* scale,
                   const float* shift,
                   std::int64_t size,
                   std::int64_t tile,
                   const NormTail& tail,
                   float* y) {
    if (tail.relu) {
        tail.residual ? forward_all<true, true>(x, residual, scale, shift, size, tile, y)
                      : forward_all<true, false>(x, residual, scale, shift, size, tile, y);
    } else {
        tail.residual ? forward_all<false, true>(x, residual, scale, shift, size, tile, y)
                      : forward_all<false, false>(x, residual, scale, shift, size, tile, y);
    }
}

/// Gradients of some rows: pointers moved to the first of them.
NormBackward from(const NormBackward& pass, std::int64_t offset) {
    const auto move = [offset](auto* pointer) {
        return pointer == nullptr ? nullptr : pointer + offset;
    };
    return {move(pass.grad_y), move(pass.y), move(pass.x), move(pass.passed)};
}

template <bool kRelu, bool kPassed>
inline __attribute__((always_inline)) void sums_span(const NormBackward& at,
                                                     const float* __restrict mean,
                                                     std::int64_t size,
                                                     float* __restrict gradient,
                                                     float* __restrict product) {
    const float* __restrict grad_y = at.grad_y;
    const float* __restrict y = at.y;
    const float* __restrict x = at.x;
    float* __restrict passed = at.passed;
    for (std::int64_t j = 0; j < size; ++j) {
        const float above = grad_y[j];  // read in any case: vectors know no branches
        const float g = kRelu && y[j] <= 0 ? 0.0F : above;
        gradient[j] += g;
        product[j] += g * (x[j] - mean[j]);
        if (kPassed) {
            passed[j] = g;
        }
    }
}

template <bool kRelu, bool kPassed>
inline __attribute__((always_inline)) void sums_all(const NormBackward& pass,
                                                    const float* mean,
                                                    std::int64_t size,
                                                    std::int64_t tile,
                                                    float* gradient,
                                                    float* product) {
    for (std::int64_t i = 0; i < size; i += tile) {
        const NormBackward at{pass.grad_y + i,
                              kRelu ? pass.y + i : nullptr,
                              pass.x + i,
                              kPassed ? pass.passed + i : nullptr};
        sums_span<kRelu, kPassed>(at, mean, std::min(tile, size - i), gradient, product);
    }
}

TOPRESS_VECTOR_CLONES
void sums_piece(const NormBackward& pass,
                const float* mean,
                std::int64_t size,
                std::int64_t tile,
                float* gradient,
                float* product) {
    if (pass.y != nullptr) {
        pass.passed != nullptr ? sums_all<true, true>(pass, mean, size, tile, gradient, product)
                               : sums_all<true, false>(pass, mean, size, tile, gradient, product);
    } else {
        pass.passed != nullptr ? sums_all<false, true>(pass, mean, size, tile, gradient, product)
                               : sums_all<false, false>(pass, mean, size, tile, gradient, product);
    }
}

template <bool kRelu>
inline __attribute__((always_inline)) void input_span(const float* __restrict grad,
                                                      const float* __restrict y,
                                                      const float* __restrict x,
                                                      const NormFactors& by_column,
                                                      std::int64_t size,
                                                      float* __restrict grad_x) {
    const float* __restrict mean = by_column.mean;
    const float* __restrict a = by_column.a;
    const float* __restrict b = by_column.b;
    const float* __restrict c = by_column.c;
    for (std::int64_t j = 0; j < size; ++j) {
        const float above = grad[j];
        const float g = kRelu && y[j] <= 0 ? 0.0F : above;
        grad_x[j] = g * a[j] - (x[j] - mean[j]) * b[j] - c[j];
    }
}

/// The gradient behind the relu is `passed` where that was kept.
TOPRESS_VECTOR_CLONES
void input_piece(const NormBackward& pass,
                 const NormFactors& by_column,
                 std::int64_t size,
                 std::int64_t tile,
                 float* grad_x) {
    const bool masks = pass.y != nullptr && pass.passed == nullptr;
    const float* gradient = pass.passed != nullptr ? pass.passed : pass.grad_y;
    for (std::int64_t i = 0; i < size; i += tile) {
        const std::int64_t span = std::min(tile, size - i);
        if (masks) {
            input_span<true>(gradient + i, pass.y + i, pass.x + i, by_column, span, grad_x + i);
        } else {
            input_span<false>(gradient + i, nullptr, pass.x + i, by_column, span, grad_x + i);
        }
    }
}

void add(std::vector<double>& sums, const std::vector<double>& more) {
    for (std::size_t c = 0; c < sums.size(); ++c) {
        sums[c] += more[c];
    }
}

}  // namespace

void norm_forward(const float* x,
                  const float* residual,
                  const float* scale,
                  const float* shift,
                  float* y,
                  const NormTail& tail,
                  const NormExtent& extent) {
    const std::int64_t channels = extent.channels;
    const std::vector<float> scales = tiled(scale, channels);
    const std::vector<float> shifts = tiled(shift, channels);
    const auto tile = static_cast<std::int64_t>(scales.size());
    const Pieces pieces(extent);
    pieces.run(extent, [&](std::int64_t /*piece*/, std::int64_t first, std::int64_t last) {
        const std::int64_t offset = first * channels;
        forward_piece(x + offset,
                      tail.residual ? residual + offset : nullptr,
                      scales.data(),
                      shifts.data(),
                      (last - first) * channels,
                      tile,
                      tail,
                      y + offset);
    });
}

NormSums norm_backward_sums(const NormBackward& pass,
                            const std::vector<double>& mean,
                            const NormExtent& extent) {
    const std::int64_t channels = extent.channels;
    const std::vector<float> means = tiled(mean);
    const auto tile = static_cast<std::int64_t>(means.size());
    const std::int64_t step = rows_of_block(channels);
    const Pieces pieces(extent);
    const std::vector<double> zeros(mean.size());
    std::vector<NormSums> parts(static_cast<std::size_t>(pieces.count), NormSums{zeros, zeros});
    pieces.run(extent, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
        NormSums& part = parts[static_cast<std::size_t>(piece)];
        for (std::int64_t row = first; row < last; row += step) {
            std::vector<float> gradient(means.size());
            std::vector<float> product(means.size());
            sums_piece(from(pass, row * channels),
                       means.data(),
                       std::min(step, last - row) * channels,
                       tile,
                       gradient.data(),
                       product.data());
            fold(gradient, part.gradient);
            fold(product, part.gradient_times_centred);
        }
    });
    NormSums all = std::move(parts.front());
    for (std::size_t piece = 1; piece < parts.size(); ++piece) {
        add(all.gradient, parts[piece].gradient);
        add(all.gradient_times_centred, parts[piece].gradient_times_centred);
    }
    return all;
}

void norm_backward_input(const NormBackward& pass,
                         const NormFactors& by_channel,
                         float* grad_x,
                         const NormExtent& extent) {
    const std::int64_t channels = extent.channels;
    const std::vector<float> mean = tiled(by_channel.mean, channels);
    const std::vector<float> a = tiled(by_channel.a, channels);
    const std::vector<float> b = tiled(by_channel.b, channels);
    const std::vector<float> c = tiled(by_channel.c, channels);
    const NormFactors by_column{mean.data(), a.data(), b.data(), c.data()};
    const Pieces pieces(extent);
    pieces.run(extent, [&](std::int64_t /*piece*/, std::int64_t first, std::int64_t last) {
        input_piece(from(pass, first * channels),
                    by_column,
                    (last - first) * channels,
                    static_cast<std::int64_t>(mean.size()),
                    grad_x + first * channels);
    });
}

}  // namespace topress::network
