// The arguments of one convolution, as its node gives them. Internal to network/.
#pragma once

#include "network/graph.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace topress::network {

/// What a convolution in two dimensions takes.
struct Convolution {
    at::Tensor x;
    at::Tensor weight;
    std::optional<at::Tensor> bias;
    std::vector<std::int64_t> stride;
    std::vector<std::int64_t> padding;
    std::vector<std::int64_t> dilation;
    std::int64_t groups = 1;

    [[nodiscard]] at::Tensor run() const;
};

/// `inputs` from `first` on: x, weight, bias?.
[[nodiscard]] Convolution read_convolution(const Node& node,
                                           const std::vector<at::Tensor>& inputs,
                                           std::size_t first = 0);

}  // namespace topress::network
