// relu: max(x, 0).
#include "network/operators/builtin.hpp"

#include <ATen/ATen.h>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run(const Node& /*node*/, const Tensors& inputs, const RunMode& /*mode*/) {
    return {at::relu(inputs[0])};
}

Tensors run_in_place(const Node& /*node*/, Tensors& inputs, const RunMode& /*mode*/) {
    return {at::relu_(inputs[0])};
}

std::vector<Shape> shape(const Node& /*node*/, const std::vector<Shape>& inputs) {
    return {inputs[0]};
}

}  // namespace

Operator make_relu() {
    return {"relu", 1, 1, run, shape, {}, run_in_place, {}, CastRule::AsFirst};
}

}  // namespace topress::network
