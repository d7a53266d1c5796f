// Mean and variance of every channel: block by block around the block's own mean, then merged.
#include "network/operators/norm_tiles.hpp"

#include <topress/kernel/vector_clones.hpp>

#include <utility>

namespace topress::network {
namespace {

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

/// Mean and sum of squared deviations of some rows.
struct Moments {
    double count = 0;
    std::vector<double> mean;
    std::vector<double> squares;

    explicit Moments(std::int64_t channels)
        : mean(static_cast<std::size_t>(channels)), squares(static_cast<std::size_t>(channels)) {}

    void add(double more,
             const std::vector<double>& other_mean,
             const std::vector<double>& other_squares) {
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
        fold(sums, mean);
        for (double& value : mean) {
            // In float, because the deviations below are from that value.
            value = static_cast<double>(static_cast<float>(value / static_cast<double>(rows)));
        }
        const std::vector<float> centre = tiled(mean);
        std::fill(sums.begin(), sums.end(), 0.0F);
        add_squares(block, centre.data(), rows * channels, tile, sums.data());
        fold(sums, squares);
        all.add(static_cast<double>(rows), mean, squares);
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
        all.add(part.count, part.mean, part.squares);
    }
    for (double& squares : all.squares) {
        squares /= std::max(all.count, 1.0);
    }
    return {std::move(all.mean), std::move(all.squares)};
}

}  // namespace topress::network
