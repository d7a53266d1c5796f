// Layer by layer construction of a network.
#include "zoo/builder.hpp"

#include <ATen/ATen.h>

namespace topress::zoo {
namespace {

std::vector<std::int64_t> pair_of(std::int64_t value) {
    return {value, value};
}

}  // namespace

using network::Attributes;
using network::Role;

Builder::Builder(const Specification& specification) {
    network_.set_input({"input", specification.input_shape});
    network_.set_setting("family", specification.family);
    network_.set_setting("depth", specification.depth);
    network_.set_setting("width", specification.width);
    network_.set_setting("classes", specification.classes);
    network_.set_setting("stem", specification.stem);
}

Activation Builder::input() const {
    return {network_.input().name, network_.input().shape[0]};
}

std::string Builder::parameter(const std::string& node,
                               const char* suffix,
                               Role role,
                               const std::vector<std::int64_t>& shape) {
    return network_.add_parameter(node + "." + suffix, role, at::empty(shape, at::kMeta)).name;
}

Activation Builder::append(const std::string& name,
                           const char* op,
                           std::vector<std::string> inputs,
                           std::int64_t channels,
                           Attributes attributes) {
    network_.add_node({name, op, std::move(inputs), {name + ".out"}, std::move(attributes)}, true);
    return {name + ".out", channels};
}

Activation Builder::convolve(const std::string& name,
                             const Activation& x,
                             const Convolution& form) {
    std::vector<std::string> inputs;
    inputs.reserve(3);
    inputs.push_back(x.value);
    const std::int64_t depth = form.is_depthwise ? 1 : x.channels;
    inputs.push_back(
        parameter(name, "weight", Role::Weight, {form.out, depth, form.kernel, form.kernel}));
    if (form.has_bias) {
        inputs.push_back(parameter(name, "bias", Role::Bias, {form.out}));
    }
    Attributes attributes{{"stride", pair_of(form.stride)}, {"padding", pair_of(form.kernel / 2)}};
    if (form.is_depthwise) {
        attributes["groups"] = x.channels;
    }
    return append(name, "conv2d", std::move(inputs), form.out, std::move(attributes));
}

Activation Builder::batch_norm(const std::string& name, const Activation& x) {
    const std::vector<std::int64_t> shape{x.channels};
    std::vector<std::string> inputs{x.value,
                                    parameter(name, "gamma", Role::Norm, shape),
                                    parameter(name, "beta", Role::Norm, shape),
                                    parameter(name, "running_mean", Role::Buffer, shape),
                                    parameter(name, "running_var", Role::Buffer, shape)};
    return append(name, "batch_norm", std::move(inputs), x.channels);
}

Activation Builder::relu(const std::string& name, const Activation& x) {
    return append(name, "relu", {x.value}, x.channels);
}

Activation Builder::add(const std::string& name, const Activation& a, const Activation& b) {
    return append(name, "add", {a.value, b.value}, a.channels);
}

Activation Builder::concat(const std::string& name, const Activation& a, const Activation& b) {
    return append(name, "concat", {a.value, b.value}, a.channels + b.channels);
}

Activation Builder::max_pool(const std::string& name, const Activation& x, const Pool& form) {
    Attributes attributes{{"kernel", pair_of(form.kernel)}, {"stride", pair_of(form.stride)}};
    if (form.padding > 0) {
        attributes["padding"] = pair_of(form.padding);
    }
    return append(name, "max_pool", {x.value}, x.channels, std::move(attributes));
}

Activation Builder::avg_pool(const std::string& name,
                             const Activation& x,
                             const std::vector<std::int64_t>& kernel,
                             const std::vector<std::int64_t>& stride) {
    return append(
        name, "avg_pool", {x.value}, x.channels, {{"kernel", kernel}, {"stride", stride}});
}

Activation Builder::global_pool(const std::string& name, const Activation& x) {
    return append(name, "global_avg_pool", {x.value}, x.channels);
}

Activation Builder::flatten(const std::string& name, const Activation& x, std::int64_t positions) {
    return append(name, "flatten", {x.value}, x.channels * positions);
}

Activation Builder::linear(const std::string& name, const Activation& x, std::int64_t out) {
    std::vector<std::string> inputs{x.value,
                                    parameter(name, "weight", Role::Weight, {out, x.channels}),
                                    parameter(name, "bias", Role::Bias, {out})};
    return append(name, "linear", std::move(inputs), out);
}

network::Network Builder::finish(const Activation& output) {
    network_.set_output(output.value);
    return std::move(network_);
}

network::Network finish_with_head(Builder& builder,
                                  const Activation& x,
                                  bool has_pool,
                                  std::int64_t classes) {
    const Activation pooled = has_pool ? builder.global_pool("head.pool", x) : x;
    const Activation flat = builder.flatten("head.flatten", pooled);
    return builder.finish(builder.linear("head.linear", flat, classes));
}

}  // namespace topress::zoo
