// concat: inputs (N, C_i, ...) one after another along the channels -> (N, sum of C_i, ...).
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

// Bounds what one node can ask for; no network joins so many.
constexpr std::size_t kMostInputs = 1024;

/// A constant among activations lacks the batch dimension: every sample gets the same.
Tensors with_batch(const Tensors& inputs, const at::Tensor& activation) {
    Tensors result;
    for (const at::Tensor& input : inputs) {
        std::vector<std::int64_t> sizes = input.sizes().vec();
        if (input.dim() < activation.dim()) {
            sizes.insert(sizes.begin(), activation.size(0));
        }
        result.push_back(input.expand(sizes));
    }
    return result;
}

Tensors run(const Node& /*node*/, const Tensors& inputs, const RunMode& mode) {
    const auto fewer = [](const at::Tensor& a, const at::Tensor& b) { return a.dim() < b.dim(); };
    const auto [least, most] = std::minmax_element(inputs.begin(), inputs.end(), fewer);
    if (least->dim() < most->dim()) {
        return {at::cat(with_batch(inputs, *most), 1)};
    }
    return {at::cat(inputs, mode.constant_input ? 0 : 1)};
}

bool differ_in_channels_only(const Shape& a, const Shape& b) {
    return !a.empty() && !b.empty() && std::equal(a.begin() + 1, a.end(), b.begin() + 1, b.end());
}

std::vector<Shape> shape(const Node& node, const std::vector<Shape>& inputs) {
    Shape result = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        if (!differ_in_channels_only(inputs[0], inputs[i])) {
            throw_shape(node,
                        "the inputs have shapes " + to_text(inputs[0]) + " and " +
                            to_text(inputs[i]) + ", they may differ in their channels only");
        }
        result[0] += inputs[i][0];
    }
    return {result};
}

}  // namespace

Operator make_concat() {
    return {"concat", 2, kMostInputs, run, shape, {}, {}, {}, CastRule::AsFirst};
}

}  // namespace topress::network
