// Training a network that holds quantizers: their scales need a rate and a bound of their own.
#pragma once

#include <topress/model.hpp>
#include <topress/training.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace topress {

/// Learning rate of scales, relative to that of the weights: one scale moves a whole channel.
inline constexpr double kScaleRate = 0.1;

/// The least a scale may become: zero would divide by zero.
inline constexpr double kLeastScale = 1e-6;

/// Names of the scales of all quantize nodes.
[[nodiscard]] inline std::vector<std::string> scales_of(const Model& model) {
    std::vector<std::string> scales;
    for (const NodeView& node : model.nodes()) {
        if (node.op == "quantize") {
            scales.push_back(node.inputs.at(1));
        }
    }
    return scales;
}

/// Lets the scales of `model` learn at `rate` times the rate of the weights, without weight decay,
/// and keeps them positive after every step; a hook that is set already runs first. A network
/// without quantizers leaves the options as they are.
inline void guard_scales(FitOptions& options, const Model& model, double rate = kScaleRate) {
    std::vector<std::string> scales = scales_of(model);
    if (scales.empty()) {
        return;
    }
    options.groups.push_back({"scale", "", rate, 0.0});
    options.after_step = [scales = std::move(scales), before = std::move(options.after_step)](
                             Model& trained, std::uint64_t step, std::uint64_t steps) {
        if (before) {
            before(trained, step, steps);
        }
        for (const std::string& name : scales) {
            trained.parameter(name).clamp_min_(kLeastScale);
        }
    };
}

}  // namespace topress
