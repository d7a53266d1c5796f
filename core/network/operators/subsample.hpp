// Every stride-th pixel, which is all that a 1x1 filter with a stride looks at. Internal to
// network/.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace topress::network {

/// Steps between the pixels that are kept.
struct PixelStride {
    std::int64_t rows = 1;
    std::int64_t columns = 1;
};

/// x (N, C, H, W) -> (N, C, ceil(H / rows), ceil(W / columns)), in the memory format of x, any
/// type. On the CPU in channels-last memory one pass over what is kept, and one over all of x for
/// the gradient: slices of slices make a tensor each, and their gradients lose the memory format.
[[nodiscard]] at::Tensor subsample(const at::Tensor& x, PixelStride stride);

}  // namespace topress::network
