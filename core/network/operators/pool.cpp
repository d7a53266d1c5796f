// max_pool, avg_pool (windows) and global_avg_pool (N, C, H, W) -> (N, C, 1, 1).
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run_max(const Node& node, const Tensors& inputs, const RunMode& /*mode*/) {
    const Window window = pool_window(node);
    return {at::max_pool2d(inputs[0], window.kernel, window.stride, window.padding)};
}

Tensors run_avg(const Node& node, const Tensors& inputs, const RunMode& /*mode*/) {
    const Window window = pool_window(node);
    return {at::avg_pool2d(inputs[0], window.kernel, window.stride, window.padding)};
}

Tensors run_global(const Node& /*node*/, const Tensors& inputs, const RunMode& /*mode*/) {
    return {at::adaptive_avg_pool2d(inputs[0], {1, 1})};
}

std::vector<Shape> window_shape(const Node& node, const std::vector<Shape>& inputs) {
    require_rank(node, "input", inputs[0], 3);
    return {slide(node, inputs[0], pool_window(node), inputs[0][0])};
}

std::vector<Shape> global_shape(const Node& node, const std::vector<Shape>& inputs) {
    require_rank(node, "input", inputs[0], 3);
    return {Shape{inputs[0][0], 1, 1}};
}

}  // namespace

Operator make_max_pool() {
    return {"max_pool", 1, 1, run_max, window_shape, {}, {}, {}, CastRule::AsFirst};
}

Operator make_avg_pool() {
    return {"avg_pool", 1, 1, run_avg, window_shape, {}, {}, {}, CastRule::AsFirst};
}

Operator make_global_avg_pool() {
    return {"global_avg_pool", 1, 1, run_global, global_shape, {}, {}, {}, CastRule::AsFirst};
}

}  // namespace topress::network
