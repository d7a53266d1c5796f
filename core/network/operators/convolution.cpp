// Reads attributes; keeps away from what oneDNN cannot do.
#include "network/operators/convolution.hpp"

#include "network/operators/subsample.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::network {
namespace {

// One vector of AVX-512.
constexpr std::int64_t kFewChannels = 16;

/// oneDNN (as of LibTorch 2.11) writes past the end of its buffer in the backward pass of a 1x1
/// convolution with a stride in channels-last memory when the channels do not fill a vector; seen
/// with AVX2 and 2 to 7 channels.
bool is_miscomputed(const Convolution& call) {
    const auto above_one = [](std::int64_t value) { return value > 1; };
    const auto above_zero = [](std::int64_t value) { return value > 0; };
    return call.x.is_cpu() && call.x.dim() == 4 && call.weight.size(2) == 1 &&
           call.weight.size(3) == 1 && call.x.size(1) < kFewChannels &&
           std::any_of(call.stride.begin(), call.stride.end(), above_one) &&
           std::none_of(call.padding.begin(), call.padding.end(), above_zero);
}

}  // namespace

at::Tensor Convolution::run() const {
    return at::conv2d(x, weight, bias, stride, padding, dilation, groups);
}

Convolution read_convolution(const Node& node,
                             const std::vector<at::Tensor>& inputs,
                             std::size_t first) {
    Convolution call;
    call.x = inputs[first];
    call.weight = inputs[first + 1];
    if (inputs.size() > first + 2) {
        call.bias = inputs[first + 2];
    }
    call.stride = ints_attribute(node, "stride", {1, 1});
    call.padding = ints_attribute(node, "padding", {0, 0});
    call.dilation = ints_attribute(node, "dilation", {1, 1});
    call.groups = int_attribute(node, "groups", 1);
    if (is_miscomputed(call)) {
        call.x = subsample(call.x, {call.stride[0], call.stride[1]});
        call.stride = {1, 1};
    }
    return call;
}

}  // namespace topress::network
