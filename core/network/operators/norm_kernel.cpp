// The passes over memory. Channels are few (8 to 512) and rows are many, so several rows make one
// tile whose coefficients are laid out once and whose inner loop is long enough for vectors.
#include "network/operators/norm_kernel.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>

// One portable build runs everywhere and uses the vectors of the machine it runs on.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define TOPRESS_VECTOR_CLONES __attribute__((target_clones("default", "avx2")))
#else
#define TOPRESS_VECTOR_CLONES
#endif

namespace topress::network {
namespace {

constexpr std::int64_t kTile = 64;               // floats of an inner loop, at least
constexpr std::int64_t kBlock = 4096;            // floats whose partial sums stay in float
constexpr std::int64_t kParallelFloats = 32768;  // below, a thread costs more than it saves

/// Rows that one tile holds.
std::int64_t rows_of_tile(std::int64_t channels) {
    return std::max<std::int64_t>(1, kTile / channels);
}

/// Coefficients of `channels`, repeated for every row of a tile.
std::vector<float> tiled(const float* values, std::int64_t channels) {
    const std::int64_t rows = rows_of_tile(channels);
    std::vector<float> all(static_cast<std::size_t>(rows * channels));
    for (std::int64_t row = 0; row < rows; ++row) {
        std::copy_n(values, channels, all.begin() + row * channels);
    }
    return all;
}

std::vector<float> tiled(const double* values, std::int64_t channels) {
    const std::vector<float> narrow(values, values + channels);
    return tiled(narrow.data(), channels);
}

/// Sums of a tile's columns, added to those of their channels.
void fold(const float* tile, std::int64_t size, std::int64_t channels, double* sums) {
    for (std::int64_t i = 0; i < size; ++i) {
        sums[i % channels] += static_cast<double>(tile[i]);
    }
}

TOPRESS_VECTOR_CLONES
void add_columns(const float* __restrict x,
                 std::int64_t size,
                 std::int64_t tile,
                 float* __restrict sums) {
    std::int64_t i = 0;
    for (; i + tile <= size; i += tile) {
        for (std::int64_t j = 0; j < tile; ++j) {
            sums[j] += x[i + j];
        }
    }
    for (std::int64_t j = 0; i + j < size; ++j) {
        sums[j] += x[i + j];
    }
}

TOPRESS_VECTOR_CLONES
void add_squares(const float* __restrict x,
                 const float* __restrict mean,
                 std::int64_t size,
                 std::int64_t tile,
                 float* __restrict sums) {
    std::int64_t i = 0;
    for (; i + tile <= size; i += tile) {
        for (std::int64_t j = 0; j < tile; ++j) {
            const float centred = x[i + j] - mean[j];
            sums[j] += centred * centred;
        }
    }
    for (std::int64_t j = 0; i + j < size; ++j) {
        const float centred = x[i + j] - mean[j];
        sums[j] += centred * centred;
    }
}

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

struct Sums {
    float* gradient;
    float* product;
};

template <bool kRelu, bool kPassed>
inline __attribute__((always_inline)) void sums_span(const float* __restrict grad_y,
                                                     const float* __restrict y,
                                                     const float* __restrict x,
                                                     const float* __restrict mean,
                                                     std::int64_t size,
                                                     float* __restrict passed,
                                                     float* __restrict gradient,
                                                     float* __restrict product) {
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
inline __attribute__((always_inline)) void sums_all(const float* grad_y,
                                                    const float* y,
                                                    const float* x,
                                                    const float* mean,
                                                    std::int64_t size,
                                                    std::int64_t tile,
                                                    float* passed,
                                                    const Sums& sums) {
    std::int64_t i = 0;
    for (; i < size; i += tile) {
        sums_span<kRelu, kPassed>(grad_y + i,
                                  kRelu ? y + i : nullptr,
                                  x + i,
                                  mean,
                                  std::min(tile, size - i),
                                  kPassed ? passed + i : nullptr,
                                  sums.gradient,
                                  sums.product);
    }
}

TOPRESS_VECTOR_CLONES
void sums_piece(const float* grad_y,
                const float* y,
                const float* x,
                const float* mean,
                std::int64_t size,
                std::int64_t tile,
                bool relu,
                float* passed,
                const Sums& sums) {
    if (relu) {
        passed != nullptr ? sums_all<true, true>(grad_y, y, x, mean, size, tile, passed, sums)
                          : sums_all<true, false>(grad_y, y, x, mean, size, tile, passed, sums);
    } else {
        passed != nullptr ? sums_all<false, true>(grad_y, y, x, mean, size, tile, passed, sums)
                          : sums_all<false, false>(grad_y, y, x, mean, size, tile, passed, sums);
    }
}

struct InputCoefficients {
    const float* mean;
    const float* a;
    const float* b;
    const float* c;
};

template <bool kRelu>
inline __attribute__((always_inline)) void input_span(const float* __restrict grad,
                                                      const float* __restrict y,
                                                      const float* __restrict x,
                                                      const float* __restrict mean,
                                                      const float* __restrict a,
                                                      const float* __restrict b,
                                                      const float* __restrict c,
                                                      std::int64_t size,
                                                      float* __restrict grad_x) {
    for (std::int64_t j = 0; j < size; ++j) {
        const float above = grad[j];
        const float g = kRelu && y[j] <= 0 ? 0.0F : above;
        grad_x[j] = g * a[j] - (x[j] - mean[j]) * b[j] - c[j];
    }
}

TOPRESS_VECTOR_CLONES
void input_piece(const float* grad,
                 const float* y,
                 const float* x,
                 const InputCoefficients& by_channel,
                 std::int64_t size,
                 std::int64_t tile,
                 float* grad_x) {
    const auto& [mean, a, b, c] = by_channel;
    for (std::int64_t i = 0; i < size; i += tile) {
        const std::int64_t span = std::min(tile, size - i);
        if (y != nullptr) {
            input_span<true>(grad + i, y + i, x + i, mean, a, b, c, span, grad_x + i);
        } else {
            input_span<false>(grad + i, nullptr, x + i, mean, a, b, c, span, grad_x + i);
        }
    }
}

/// The rows in as many pieces as there are threads, none so small that it does not pay.
struct Pieces {
    std::int64_t count;
    std::int64_t rows;

    explicit Pieces(const NormExtent& extent) {
        const std::int64_t most =
            std::max<std::int64_t>(1, extent.rows * extent.channels / kParallelFloats);
        count = at::in_parallel_region() ? 1 : std::min<std::int64_t>(at::get_num_threads(), most);
        rows = (extent.rows + count - 1) / count;
    }

    template <class Work>
    void run(const NormExtent& extent, const Work& work) const {
        at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t piece = begin; piece < end; ++piece) {
                const std::int64_t first = std::min(extent.rows, piece * rows);
                const std::int64_t last = std::min(extent.rows, first + rows);
                work(piece, first, last);
            }
        });
    }
};

/// Mean and sum of squared deviations of some rows.
struct Moments {
    double count = 0;
    std::vector<double> mean;
    std::vector<double> squares;

    explicit Moments(std::int64_t channels)
        : mean(static_cast<std::size_t>(channels)), squares(static_cast<std::size_t>(channels)) {}

    void add(double more, const double* other_mean, const double* other_squares) {
        if (more == 0) {
            return;
        }
        const double all = count + more;
        for (std::size_t c = 0; c < mean.size(); ++c) {
            const double apart = other_mean[c] - mean[c];
            mean[c] += apart * (more / all);
            squares[c] += other_squares[c] + apart * apart * (count * more / all);
        }
        count = all;
    }
};

std::int64_t rows_of_block(std::int64_t channels) {
    const std::int64_t tile_rows = rows_of_tile(channels);
    return std::max<std::int64_t>(1, kBlock / (channels * tile_rows)) * tile_rows;
}

Moments moments_of(const float* x, std::int64_t first, std::int64_t last, std::int64_t channels) {
    const std::int64_t tile = rows_of_tile(channels) * channels;
    const std::int64_t step = rows_of_block(channels);
    Moments all(channels);
    std::vector<float> sums(static_cast<std::size_t>(tile));
    std::vector<double> mean(static_cast<std::size_t>(channels));
    std::vector<double> squares(static_cast<std::size_t>(channels));
    for (std::int64_t row = first; row < last; row += step) {
        const std::int64_t rows = std::min(step, last - row);
        const float* block = x + row * channels;
        std::fill(sums.begin(), sums.end(), 0.0F);
        std::fill(mean.begin(), mean.end(), 0.0);
        std::fill(squares.begin(), squares.end(), 0.0);
        add_columns(block, rows * channels, tile, sums.data());
        fold(sums.data(), tile, channels, mean.data());
        for (double& value : mean) {
            // In float, because the deviations below are from that value.
            value = static_cast<double>(static_cast<float>(value / static_cast<double>(rows)));
        }
        const std::vector<float> centre = tiled(mean.data(), channels);
        std::fill(sums.begin(), sums.end(), 0.0F);
        add_squares(block, centre.data(), rows * channels, tile, sums.data());
        fold(sums.data(), tile, channels, squares.data());
        all.add(static_cast<double>(rows), mean.data(), squares.data());
    }
    return all;
}

}  // namespace

NormStatistics norm_statistics(const float* x, const NormExtent& extent) {
    const Pieces pieces(extent);
    std::vector<Moments> parts(static_cast<std::size_t>(pieces.count), Moments(extent.channels));
    pieces.run(extent, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
        parts[static_cast<std::size_t>(piece)] = moments_of(x, first, last, extent.channels);
    });
    Moments all(extent.channels);
    for (const Moments& part : parts) {
        all.add(part.count, part.mean.data(), part.squares.data());
    }
    for (double& squares : all.squares) {
        squares /= std::max(all.count, 1.0);
    }
    return {std::move(all.mean), std::move(all.squares)};
}

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

NormSums norm_backward_sums(const float* grad_y,
                            const float* y,
                            const float* x,
                            const double* mean,
                            float* passed,
                            const NormTail& tail,
                            const NormExtent& extent) {
    const std::int64_t channels = extent.channels;
    const std::vector<float> means = tiled(mean, channels);
    const auto tile = static_cast<std::int64_t>(means.size());
    const auto width = static_cast<std::size_t>(channels);
    const std::int64_t step = rows_of_block(channels);
    const Pieces pieces(extent);
    std::vector<NormSums> parts(static_cast<std::size_t>(pieces.count),
                                NormSums{std::vector<double>(width), std::vector<double>(width)});
    pieces.run(extent, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
        NormSums& part = parts[static_cast<std::size_t>(piece)];
        std::vector<float> gradient(means.size());
        std::vector<float> product(means.size());
        for (std::int64_t row = first; row < last; row += step) {
            const std::int64_t offset = row * channels;
            std::fill(gradient.begin(), gradient.end(), 0.0F);
            std::fill(product.begin(), product.end(), 0.0F);
            sums_piece(grad_y + offset,
                       tail.relu ? y + offset : nullptr,
                       x + offset,
                       means.data(),
                       std::min(step, last - row) * channels,
                       tile,
                       tail.relu,
                       passed != nullptr ? passed + offset : nullptr,
                       {gradient.data(), product.data()});
            fold(gradient.data(), tile, channels, part.gradient.data());
            fold(product.data(), tile, channels, part.gradient_times_centred.data());
        }
    });
    NormSums all = std::move(parts.front());
    for (std::size_t piece = 1; piece < parts.size(); ++piece) {
        for (std::size_t c = 0; c < width; ++c) {
            all.gradient[c] += parts[piece].gradient[c];
            all.gradient_times_centred[c] += parts[piece].gradient_times_centred[c];
        }
    }
    return all;
}

void norm_backward_input(const float* grad_y,
                         const float* y,
                         const float* x,
                         const float* passed,
                         const float* mean,
                         const float* a,
                         const float* b,
                         const float* c,
                         float* grad_x,
                         const NormTail& tail,
                         const NormExtent& extent) {
    const std::int64_t channels = extent.channels;
    const std::vector<float> means = tiled(mean, channels);
    const std::array<std::vector<float>, 3> factors{
        tiled(a, channels), tiled(b, channels), tiled(c, channels)};
    const bool masks = tail.relu && passed == nullptr;
    const float* gradient = passed != nullptr ? passed : grad_y;
    const Pieces pieces(extent);
    pieces.run(extent, [&](std::int64_t /*piece*/, std::int64_t first, std::int64_t last) {
        const std::int64_t offset = first * channels;
        input_piece(gradient + offset,
                    masks ? y + offset : nullptr,
                    x + offset,
                    {means.data(), factors[0].data(), factors[1].data(), factors[2].data()},
                    (last - first) * channels,
                    static_cast<std::int64_t>(means.size()),
                    grad_x + offset);
    });
}

}  // namespace topress::network
