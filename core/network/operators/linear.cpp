// linear: x (N, K), weight (M, K), bias? (M) -> (N, M).
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

#include <optional>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run(const Node& /*node*/, const Tensors& inputs, const RunMode& /*mode*/) {
    const auto bias = inputs.size() > 2 ? std::optional<at::Tensor>(inputs[2]) : std::nullopt;
    return {at::linear(inputs[0], inputs[1], bias)};
}

std::vector<Shape> shape(const Node& node, const std::vector<Shape>& inputs) {
    const Shape& weight = inputs[1];
    require_rank(node, "input", inputs[0], 1);
    require_rank(node, "weight", weight, 2);
    if (inputs[0][0] != weight[1]) {
        throw_shape(node,
                    "input " + to_text(inputs[0]) + " has " + std::to_string(inputs[0][0]) +
                        " features, weight " + to_text(weight) + " needs " +
                        std::to_string(weight[1]));
    }
    if (inputs.size() > 2) {
        require_vector(node, "bias", inputs[2], weight[0]);
    }
    return {Shape{weight[0]}};
}

double macs(const Node& /*node*/,
            const std::vector<Shape>& inputs,
            const std::vector<Shape>& /*outputs*/) {
    return static_cast<double>(inputs[1][0]) * static_cast<double>(inputs[1][1]);
}

}  // namespace

Operator make_linear() {
    return {"linear", 2, 3, run, shape, macs, {}, {}, CastRule::Bfloat16};
}

}  // namespace topress::network
