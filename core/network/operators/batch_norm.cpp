// batch_norm: x (N, C, ...), gamma, beta, running_mean, running_var, each (C).
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>

#include <array>
#include <optional>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;

Tensors run(const Node& node, const Tensors& inputs, const RunMode& mode) {
    std::optional<at::Tensor> mean = inputs[3];
    std::optional<at::Tensor> variance = inputs[4];
    if (mode.training && !mode.update_statistics) {
        mean.reset();  // batch statistics, running ones untouched
        variance.reset();
    }
    return {at::batch_norm(inputs[0],
                           inputs[1],
                           inputs[2],
                           mean,
                           variance,
                           mode.training,
                           mode.statistics_momentum,
                           number_attribute(node, "epsilon", kDefaultEpsilon),
                           inputs[0].is_cuda())};
}

std::vector<Shape> shape(const Node& node, const std::vector<Shape>& inputs) {
    constexpr std::array<const char*, 5> kNames{
        "input", "gamma", "beta", "running_mean", "running_var"};
    if (inputs[0].empty()) {
        throw_shape(node, "input has no channel dimension");
    }
    for (std::size_t i = 1; i < inputs.size(); ++i) {
        require_vector(node, kNames.at(i), inputs[i], inputs[0][0]);
    }
    const double epsilon = number_attribute(node, "epsilon", kDefaultEpsilon);
    if (!(epsilon > 0 && epsilon <= 1)) {
        throw_attribute(node, "attribute 'epsilon' is outside 0 to 1");
    }
    return {inputs[0]};
}

}  // namespace

Operator make_batch_norm() {
    return {"batch_norm", 5, 5, run, shape, {}, {}, {}, CastRule::Activations};
}

}  // namespace topress::network
