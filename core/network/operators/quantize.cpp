// quantize: y = clamp(round(x / scale), low, high) * scale with a learned step size.
// Source: Esser et al. 2020, "Learned step size quantization", arXiv 1902.08153, equations 1 to 3.
#include "base/error.hpp"
#include "network/operators/binarize.hpp"
#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;
constexpr std::int64_t kDefaultBits = 8;
constexpr std::int64_t kMinimumBits = 1;
constexpr std::int64_t kMaximumBits = 16;

at::Tensor compute_forward(const at::Tensor& x,
                           const at::Tensor& scale,
                           std::int64_t low,
                           std::int64_t high,
                           std::int64_t axis) {
    const at::Tensor step = broadcast_scale(x, scale, axis);
    return at::div(x, step).round_().clamp_(low, high).mul_(step);
}

std::pair<at::Tensor, at::Tensor> compute_backward(const at::Tensor& grad_y,
                                                   const at::Tensor& x,
                                                   const at::Tensor& scale,
                                                   std::int64_t low,
                                                   std::int64_t high,
                                                   std::int64_t axis,
                                                   double factor) {
    at::Tensor v = at::div(x, broadcast_scale(x, scale, axis));
    at::Tensor clamped = v.clamp(low, high);
    const at::Tensor inside = clamped.eq(v);
    v.reset();
    // dy/dscale = round(v) - v inside, low or high outside.
    at::Tensor slope = clamped.round();
    slope.sub_(clamped.mul_(inside)).mul_(grad_y);
    return {grad_y.mul(inside), sum_to_scale(slope, scale, axis).mul_(factor)};
}

/// Replaced pieces; what is empty falls back to the built-in.
QuantizeImplementation& current() {
    static QuantizeImplementation implementation = builtin_quantize();
    return implementation;
}

/// Autograd around whatever implementation is set. [backward may run on an autograd thread]
class Quantize : public torch::autograd::Function<Quantize> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext* context,
                              const at::Tensor& x,
                              const at::Tensor& scale,
                              std::int64_t low,
                              std::int64_t high,
                              std::int64_t axis,
                              double factor) {
        context->save_for_backward({x, scale});
        context->saved_data["low"] = low;
        context->saved_data["high"] = high;
        context->saved_data["axis"] = axis;
        context->saved_data["factor"] = factor;
        return current().forward(x, scale, low, high, axis);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& grads) {
        if (!grads[0].defined()) {
            return Tensors(6);
        }
        const auto saved = context->get_saved_variables();
        auto [grad_x, grad_scale] = current().backward(grads[0],
                                                       saved[0],
                                                       saved[1],
                                                       context->saved_data["low"].toInt(),
                                                       context->saved_data["high"].toInt(),
                                                       context->saved_data["axis"].toInt(),
                                                       context->saved_data["factor"].toDouble());
        return {grad_x, grad_scale, {}, {}, {}, {}};
    }
};

/// LSQ section 2.2: 1 / sqrt(elements a step size serves in one sample * highest level).
double gradient_factor(const at::Tensor& x,
                       const at::Tensor& scale,
                       const QuantizeRange& range,
                       bool constant_input) {
    const std::int64_t samples = constant_input ? 1 : std::max<std::int64_t>(x.size(0), 1);
    const double elements = static_cast<double>(x.numel()) / static_cast<double>(samples) /
                            static_cast<double>(scale.numel());
    return 1.0 / std::sqrt(std::max(elements, 1.0) * static_cast<double>(range.high));
}

/// One bit with a sign has the levels -1 and 1 and no zero between.
bool is_binary(const Node& node) {
    return int_attribute(node, "bits", kDefaultBits) == 1 && bool_attribute(node, "signed", true);
}

Tensors run(const Node& node, const Tensors& inputs, const RunMode& mode) {
    const at::Tensor& x = inputs[0];
    const at::Tensor& scale = inputs[1];
    const QuantizeRange range = quantize_range(node);
    const std::int64_t axis = int_attribute(node, "axis", -1);
    if (is_binary(node)) {
        return {binarize(x, scale, axis, gradient_factor(x, scale, range, mode.constant_input))};
    }
    if (!at::GradMode::is_enabled() || !(x.requires_grad() || scale.requires_grad())) {
        return {current().forward(x, scale, range.low, range.high, axis)};
    }
    const double factor = gradient_factor(x, scale, range, mode.constant_input);
    return {Quantize::apply(x, scale, range.low, range.high, axis, factor)};
}

/// The axis counts the batch dimension of an activation; a shape rule sees activations without it,
/// so a scale that fits either way is taken.
bool scale_fits(const Shape& x, std::int64_t axis, std::int64_t count) {
    const auto rank = static_cast<std::int64_t>(x.size());
    const auto size = [&](std::int64_t dim) {
        return dim >= 0 && dim < rank ? x[static_cast<std::size_t>(dim)] : -1;
    };
    return size(axis) == count || size(axis - 1) == count;
}

std::vector<Shape> shape(const Node& node, const std::vector<Shape>& inputs) {
    static_cast<void>(quantize_range(node));
    const std::int64_t axis = int_attribute(node, "axis", -1);
    const Shape& x = inputs[0];
    require_rank(node, "scale", inputs[1], 1);
    if (axis < -1 || axis > static_cast<std::int64_t>(x.size())) {
        throw_attribute(node,
                        "attribute 'axis' is " + std::to_string(axis) + " for input " + to_text(x));
    }
    if (axis == -1) {
        require_vector(node, "scale", inputs[1], 1);
    } else if (!scale_fits(x, axis, inputs[1][0])) {
        throw_shape(node,
                    "scale " + to_text(inputs[1]) + " does not fit axis " + std::to_string(axis) +
                        " of input " + to_text(x));
    }
    return {x};
}

}  // namespace

QuantizeRange quantize_range(const Node& node) {
    const std::int64_t bits = int_attribute(node, "bits", kDefaultBits);
    if (bits < kMinimumBits || bits > kMaximumBits) {
        throw_attribute(node,
                        "attribute 'bits' is " + std::to_string(bits) + ", outside " +
                            std::to_string(kMinimumBits) + " to " + std::to_string(kMaximumBits));
    }
    if (is_binary(node)) {
        return {-1, 1};
    }
    if (bool_attribute(node, "signed", true)) {
        const std::int64_t half = std::int64_t{1} << (bits - 1);
        return {-half, half - 1};
    }
    return {0, (std::int64_t{1} << bits) - 1};
}

const QuantizeImplementation& builtin_quantize() {
    static const QuantizeImplementation builtin{compute_forward, compute_backward};
    return builtin;
}

void set_quantize_implementation(QuantizeImplementation implementation) {
    if (!implementation.forward) {
        implementation.forward = builtin_quantize().forward;
    }
    if (!implementation.backward) {
        implementation.backward = builtin_quantize().backward;
    }
    current() = std::move(implementation);
}

const QuantizeImplementation& quantize_implementation() {
    return current();
}

Operator make_quantize() {
    return {"quantize", 2, 2, run, shape, {}, {}};
}

}  // namespace topress::network
