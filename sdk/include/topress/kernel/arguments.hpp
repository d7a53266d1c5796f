// Checks and sizes that CPU references and launchers share: argument tests, ceiling division,
// grids.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace topress::kernel {

/// Throws std::invalid_argument with `message` unless `condition` holds: a wrong call of a kernel.
inline void require(bool condition, const char* message) {
    if (!condition) {
        throw std::invalid_argument(message);
    }
}

/// The smallest number of pieces of size `piece` that cover `total`.
constexpr std::int64_t ceil_div(std::int64_t total, std::int64_t piece) {
    return (total + piece - 1) / piece;
}

/// Blocks of a one-dimensional grid that cover `items`, `items_per_block` each.
/// Throws: std::invalid_argument when a grid cannot have that many blocks (2^31 - 1).
inline unsigned grid_blocks(std::int64_t items, std::int64_t items_per_block) {
    const std::int64_t blocks = ceil_div(items, items_per_block);
    require(blocks >= 0 && blocks <= INT64_C(2147483647), "more work than one CUDA grid can cover");
    return static_cast<unsigned>(blocks);
}

}  // namespace topress::kernel
