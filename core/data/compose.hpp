// The pictures of a batch by tensor operations: for data sets that are on a device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace topress::data {

/// Where the window on the old picture begins, and whether what it shows is mirrored.
struct PictureChange {
    std::int64_t top = 0;
    std::int64_t left = 0;
    bool mirrored = false;
};

/// Chooses pictures, moves and mirrors them (black outside) and looks up the value of every byte.
/// Shape:    pictures (S, C, H, W) uint8, tables (C, 256) float on the same device; changes one for
///           each sample, or none at all -> (N, C, H, W) float, channels-last memory, there.
[[nodiscard]] at::Tensor compose_pictures(const at::Tensor& pictures,
                                          const std::vector<std::int64_t>& samples,
                                          const std::vector<PictureChange>& changes,
                                          const at::Tensor& tables);

}  // namespace topress::data
