// conv2d: x (N, C, H, W), weight (Cout, Cin/groups, kh, kw), bias? (Cout).
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"
#include "network/operators/convolution.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run(const Node& node, const Tensors& inputs, const RunMode& /*mode*/) {
    return {read_convolution(node, inputs).run()};
}

void check_channels(const Node& node, const Shape& x, const Shape& weight) {
    const std::int64_t groups = int_attribute(node, "groups", 1);
    if (groups < 1 || weight[0] % groups != 0 || x[0] % groups != 0) {
        throw_attribute(node,
                        "attribute 'groups' is " + std::to_string(groups) +
                            ", which does not divide " + std::to_string(x[0]) + " input and " +
                            std::to_string(weight[0]) + " output channels");
    }
    if (x[0] / groups != weight[1]) {
        throw_shape(node,
                    "input " + to_text(x) + " has " + std::to_string(x[0]) + " channels in " +
                        std::to_string(groups) + " group(s), weight " + to_text(weight) +
                        " needs " + std::to_string(weight[1]) + " a group");
    }
}

std::vector<Shape> shape(const Node& node, const std::vector<Shape>& inputs) {
    const Shape& x = inputs[0];
    const Shape& weight = inputs[1];
    require_rank(node, "input", x, 3);
    require_rank(node, "weight", weight, 4);
    if (std::any_of(weight.begin(), weight.end(), [](std::int64_t size) { return size < 1; })) {
        throw_shape(node, "weight " + to_text(weight) + " is empty");
    }
    check_channels(node, x, weight);
    if (inputs.size() > 2) {
        require_vector(node, "bias", inputs[2], weight[0]);
    }
    Window window{};
    window.kernel = {weight[2], weight[3]};
    window.stride = pair_attribute(node, "stride", 1, 1, kMaximumWindow);
    window.padding = pair_attribute(node, "padding", 0, 0, kMaximumWindow);
    window.dilation = pair_attribute(node, "dilation", 1, 1, kMaximumWindow);
    return {slide(node, x, window, weight[0])};
}

double macs(const Node& /*node*/,
            const std::vector<Shape>& inputs,
            const std::vector<Shape>& outputs) {
    double result = 1;  // Cout * (Cin/groups) * kh * kw * Hout * Wout
    for (const std::int64_t size : inputs[1]) {
        result *= static_cast<double>(size);
    }
    return result * static_cast<double>(outputs[0][1]) * static_cast<double>(outputs[0][2]);
}

}  // namespace

Operator make_conv2d() {
    return {"conv2d", 2, 3, run, shape, macs, {}, {}, CastRule::Bfloat16};
}

}  // namespace topress::network
