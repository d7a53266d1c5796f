// flatten: (N, C, H, W) -> (N, C*H*W), channel slowest whatever the memory format.
#include "network/operators/builtin.hpp"

#include <ATen/ATen.h>

#include <functional>
#include <numeric>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run(const Node& /*node*/, const Tensors& inputs, const RunMode& /*mode*/) {
    return {inputs[0].flatten(1)};
}

std::vector<Shape> shape(const Node& /*node*/, const std::vector<Shape>& inputs) {
    const Shape& x = inputs[0];
    return {Shape{std::accumulate(x.begin(), x.end(), std::int64_t{1}, std::multiplies<>())}};
}

}  // namespace

Operator make_flatten() {
    return {"flatten", 1, 1, run, shape, {}, {}, {}, CastRule::AsFirst};
}

}  // namespace topress::network
