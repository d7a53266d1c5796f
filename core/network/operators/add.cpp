// add: a + b of the same shape (residual connections).
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run(const Node& /*node*/, const Tensors& inputs, const RunMode& /*mode*/) {
    return {at::add(inputs[0], inputs[1])};
}

Tensors run_in_place(const Node& /*node*/, Tensors& inputs, const RunMode& /*mode*/) {
    return {inputs[0].add_(inputs[1])};
}

std::vector<Shape> shape(const Node& node, const std::vector<Shape>& inputs) {
    if (inputs[0] != inputs[1]) {
        throw_shape(node,
                    "the inputs have shapes " + to_text(inputs[0]) + " and " + to_text(inputs[1]) +
                        ", they must be equal");
    }
    return {inputs[0]};
}

}  // namespace

Operator make_add() {
    return {"add", 2, 2, run, shape, {}, run_in_place, {}, CastRule::AsFirst};
}

}  // namespace topress::network
