// Rows of channels cut into tiles, blocks and pieces: what the passes over memory share. Internal
// to network/.
#pragma once

#include "network/operators/norm_kernel.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#ifndef INTRA_OP_PARALLEL
#error "without OpenMP at::parallel_for is a loop on one thread: see core/network/CMakeLists.txt"
#endif

namespace topress::network {

// Channels are few (8 to 512) and rows are many, so several rows make one tile whose coefficients
// are laid out once and whose inner loop is long enough for vectors.
inline constexpr std::int64_t kTile = 64;               // floats of an inner loop, at least
inline constexpr std::int64_t kBlock = 4096;            // floats whose partial sums stay in float
inline constexpr std::int64_t kParallelFloats = 32768;  // below, a thread costs more than it saves

/// Rows that one tile holds.
[[nodiscard]] inline std::int64_t rows_of_tile(std::int64_t channels) {
    return std::max<std::int64_t>(1, kTile / channels);
}

/// Rows of a block, whole tiles.
[[nodiscard]] inline std::int64_t rows_of_block(std::int64_t channels) {
    const std::int64_t tile_rows = rows_of_tile(channels);
    return std::max<std::int64_t>(1, kBlock / (channels * tile_rows)) * tile_rows;
}

/// Coefficients of `channels`, repeated for every row of a tile.
[[nodiscard]] inline std::vector<float> tiled(const float* values, std::int64_t channels) {
    const std::int64_t rows = rows_of_tile(channels);
    std::vector<float> all(static_cast<std::size_t>(rows * channels));
    for (std::int64_t row = 0; row < rows; ++row) {
        std::copy_n(values, channels, all.begin() + row * channels);
    }
    return all;
}

[[nodiscard]] inline std::vector<float> tiled(const std::vector<double>& values) {
    const std::vector<float> narrow(values.begin(), values.end());
    return tiled(narrow.data(), static_cast<std::int64_t>(narrow.size()));
}

/// Sums of a tile's columns, added to those of their channels.
inline void fold(const std::vector<float>& tile, std::vector<double>& sums) {
    const std::size_t channels = sums.size();
    for (std::size_t first = 0; first < tile.size(); first += channels) {
        for (std::size_t c = 0; c < channels; ++c) {
            sums[c] += static_cast<double>(tile[first + c]);
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

    /// work(first row, last row) on blocks of a piece, from its end to its beginning: what the pass
    /// before read last is still in the cache. For work on each element by itself.
    template <class Work>
    void run_backwards(const NormExtent& extent, const Work& work) const {
        const std::int64_t step = rows_of_block(extent.channels);
        run(extent, [&](std::int64_t /*piece*/, std::int64_t first, std::int64_t last) {
            const std::int64_t blocks = (last - first + step - 1) / step;
            for (std::int64_t block = blocks - 1; block >= 0; --block) {
                const std::int64_t begin = first + block * step;
                work(begin, std::min(last, begin + step));
            }
        });
    }
};

}  // namespace topress::network
