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

/// How the relu's gate is found again.
enum class Gate { None, FromX, FromY };

Gate gate_of(const NormBackward& pass) {
    if (pass.y != nullptr) {
        return Gate::FromY;
    }
    return pass.scale != nullptr ? Gate::FromX : Gate::None;
}

/// What a pass needs per channel, repeated for every row of a tile; scale and shift for FromX.
struct Columns {
    std::vector<float> mean;
    std::vector<float> scale;
    std::vector<float> shift;

    Columns(std::vector<float> means, const NormBackward& pass, std::int64_t channels)
        : mean(std::move(means)) {
        if (gate_of(pass) == Gate::FromX) {
            scale = tiled(pass.scale, channels);
            shift = tiled(pass.shift, channels);
        }
    }

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(mean.size()); }
};

/// Pointers moved to the first of some rows.
NormBackward from(const NormBackward& pass, std::int64_t offset) {
    const auto move = [offset](auto* pointer) {
        return pointer == nullptr ? nullptr : pointer + offset;
    };
    return {move(pass.grad_y), move(pass.x), move(pass.y), move(pass.passed)};
}

// grad_y is read in any case: vectors know no branches. Arrays of the same place may be one.
template <Gate kGate>
inline __attribute__((always_inline)) void sums_span(const NormBackward& at,
                                                     const Columns& columns,
                                                     std::int64_t size,
                                                     float* __restrict gradient,
                                                     float* __restrict product) {
    const float* grad_y = at.grad_y;
    const float* x = at.x;
    const float* y = at.y;
    float* passed = at.passed;
    const float* __restrict mean = columns.mean.data();
    const float* __restrict scale = columns.scale.data();
    const float* __restrict shift = columns.shift.data();
#pragma GCC ivdep
    for (std::int64_t j = 0; j < size; ++j) {
        float g = grad_y[j];
        if (kGate == Gate::FromX) {
            g = x[j] * scale[j] + shift[j] <= 0 ? 0.0F : g;
        } else if (kGate == Gate::FromY) {
            g = y[j] <= 0 ? 0.0F : g;
            passed[j] = g;
        }
        gradient[j] += g;
        product[j] += g * (x[j] - mean[j]);
    }
}

template <Gate kGate>
inline __attribute__((always_inline)) void sums_all(const NormBackward& pass,
                                                    const Columns& columns,
                                                    std::int64_t size,
                                                    float* gradient,
                                                    float* product) {
    const std::int64_t tile = columns.size();
    for (std::int64_t i = 0; i < size; i += tile) {
        const NormBackward at{pass.grad_y + i,
                              pass.x + i,
                              kGate == Gate::FromY ? pass.y + i : nullptr,
                              kGate == Gate::FromY ? pass.passed + i : nullptr};
        sums_span<kGate>(at, columns, std::min(tile, size - i), gradient, product);
    }
}

TOPRESS_VECTOR_CLONES
void sums_piece(const NormBackward& pass,
                Gate gate,
                const Columns& columns,
                std::int64_t size,
                float* gradient,
                float* product) {
    switch (gate) {
        case Gate::None:
            sums_all<Gate::None>(pass, columns, size, gradient, product);
            break;
        case Gate::FromX:
            sums_all<Gate::FromX>(pass, columns, size, gradient, product);
            break;
        case Gate::FromY:
            sums_all<Gate::FromY>(pass, columns, size, gradient, product);
            break;
    }
}

template <bool kFromX>
inline __attribute__((always_inline)) void input_span(const float* grad,
                                                      const float* x,
                                                      const Columns& columns,
                                                      const NormFactors& by_column,
                                                      std::int64_t size,
                                                      float* grad_x) {
    const float* __restrict mean = by_column.mean;
    const float* __restrict scale = columns.scale.data();
    const float* __restrict shift = columns.shift.data();
    const float* __restrict a = by_column.a;
    const float* __restrict b = by_column.b;
    const float* __restrict c = by_column.c;
#pragma GCC ivdep
    for (std::int64_t j = 0; j < size; ++j) {
        const float above = grad[j];
        const float g = kFromX && x[j] * scale[j] + shift[j] <= 0 ? 0.0F : above;
        grad_x[j] = g * a[j] - (x[j] - mean[j]) * b[j] - c[j];
    }
}

/// The gradient behind the relu is `passed` where that was kept.
TOPRESS_VECTOR_CLONES
void input_piece(const NormBackward& pass,
                 Gate gate,
                 const Columns& columns,
                 const NormFactors& by_column,
                 std::int64_t size,
                 float* grad_x) {
    const float* grad = gate == Gate::FromY ? pass.passed : pass.grad_y;
    const std::int64_t tile = columns.size();
    for (std::int64_t i = 0; i < size; i += tile) {
        const std::int64_t span = std::min(tile, size - i);
        if (gate == Gate::FromX) {
            input_span<true>(grad + i, pass.x + i, columns, by_column, span, grad_x + i);
        } else {
            input_span<false>(grad + i, pass.x + i, columns, by_column, span, grad_x + i);
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
    pieces.run_backwards(extent, [&](std::int64_t first, std::int64_t last) {
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
    const Columns columns(tiled(mean), pass, channels);
    const std::int64_t step = rows_of_block(channels);
    const Pieces pieces(extent);
    const std::vector<double> zeros(mean.size());
    std::vector<NormSums> parts(static_cast<std::size_t>(pieces.count), NormSums{zeros, zeros});
    pieces.run(extent, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
        NormSums& part = parts[static_cast<std::size_t>(piece)];
        for (std::int64_t row = first; row < last; row += step) {
            std::vector<float> gradient(columns.mean.size());
            std::vector<float> product(columns.mean.size());
            sums_piece(from(pass, row * channels),
                       gate_of(pass),
                       columns,
                       std::min(step, last - row) * channels,
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
    const Columns columns(tiled(by_channel.mean, channels), pass, channels);
    const std::vector<float> a = tiled(by_channel.a, channels);
    const std::vector<float> b = tiled(by_channel.b, channels);
    const std::vector<float> c = tiled(by_channel.c, channels);
    const NormFactors by_column{columns.mean.data(), a.data(), b.data(), c.data()};
    const Pieces pieces(extent);
    pieces.run_backwards(extent, [&](std::int64_t first, std::int64_t last) {
        input_piece(from(pass, first * channels),
                    gate_of(pass),
                    columns,
                    by_column,
                    (last - first) * channels,
                    grad_x + first * channels);
    });
}

}  // namespace topress::network
