// Calls the operators that LibTorch keeps for its own compiler; they have no C++ function of their
// own and no gradient.
#include "network/operators/conv_tail.hpp"

#include "network/operators/builtin.hpp"
#include "network/operators/check.hpp"
#include "network/operators/convolution.hpp"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <algorithm>
#include <array>
#include <optional>

namespace topress::network {
namespace {

using Tensors = std::vector<at::Tensor>;
using Handle = std::optional<c10::OperatorHandle>;

Handle find(const char* name, const char* overload) {
    return c10::Dispatcher::singleton().findSchema({name, overload});
}

/// `x` is the input of the convolution. For one picture LibTorch has something faster.
bool is_supported(const Tensors& inputs, const at::Tensor& x) {
    return at::globalContext().userEnabledMkldnn() && !wants_gradients(inputs) && x.size(0) > 1 &&
           std::all_of(inputs.begin(), inputs.end(), [](const at::Tensor& input) {
               return input.is_cpu() && input.scalar_type() == at::kFloat && input.numel() > 0;
           });
}

/// The operators one after the other; what the convolution made is nobody else's.
Tensors compose(const Convolution& call, const Tensors& inputs, const ConvTail& tail) {
    at::Tensor y = call.run();
    if (tail.residual) {
        y = y.add_(inputs[0]);
    }
    return {tail.relu ? y.relu_() : y};
}

c10::List<std::optional<at::Scalar>> no_scalars() {
    return c10::List<std::optional<at::Scalar>>();
}

at::Tensor run_handle(const c10::OperatorHandle& handle, torch::jit::Stack stack) {
    handle.callBoxed(stack);
    return std::move(stack.front()).toTensor();
}

/// The arguments that all forms of the operator share, in their order.
void push_convolution(torch::jit::Stack& stack, const Convolution& call) {
    torch::jit::push(stack,
                     call.x,
                     call.weight,
                     call.bias,
                     call.padding,
                     call.stride,
                     call.dilation,
                     call.groups);
}

/// relu(conv(x)).
Tensors with_relu(const Handle& handle, const Convolution& call) {
    torch::jit::Stack stack;
    push_convolution(stack, call);
    torch::jit::push(stack, "relu", no_scalars(), "");
    return {run_handle(*handle, std::move(stack))};
}

/// relu?(conv(x) + residual), written over the residual.
Tensors onto_residual(const Handle& handle,
                      const at::Tensor& residual,
                      const Convolution& call,
                      bool relu) {
    torch::jit::Stack stack;
    torch::jit::push(stack, residual);
    push_convolution(stack, call);
    torch::jit::push(stack,
                     "add",
                     at::Scalar(1.0),
                     relu ? c10::IValue("relu") : c10::IValue(),
                     no_scalars(),
                     c10::IValue());
    return {run_handle(*handle, std::move(stack))};
}

/// Where the inputs of the convolution begin.
std::size_t first_of(const ConvTail& tail) {
    return tail.residual ? 1 : 0;
}

Tensors run(const Node& node, const Tensors& inputs, const ConvTail& tail) {
    static const Handle handle = find("mkldnn::_convolution_pointwise", "");
    const Convolution call = read_convolution(node, inputs, first_of(tail));
    if (handle && tail.relu && !tail.residual && is_supported(inputs, call.x)) {
        return with_relu(handle, call);
    }
    return compose(call, inputs, tail);
}

Tensors run_in_place(const Node& node, const Tensors& inputs, const ConvTail& tail) {
    static const Handle handle = find("mkldnn::_convolution_pointwise_", "binary");
    // In another memory order the result would be copied back, which costs what the fusion saves.
    const bool fits = tail.residual && is_supported(inputs, inputs[1]) && inputs[1].dim() == 4 &&
                      inputs[0].is_contiguous(at::MemoryFormat::ChannelsLast) &&
                      inputs[1].is_contiguous(at::MemoryFormat::ChannelsLast);
    return handle && fits
               ? onto_residual(
                     handle, inputs[0], read_convolution(node, inputs, first_of(tail)), tail.relu)
               : run(node, inputs, tail);
}

Operator make_conv(const ConvTail& tail) {
    Operator made = make_conv2d();
    made.name = "conv2d_and_tail";  // internal: no network names it
    made.maximum_inputs += tail.residual ? 1 : 0;
    made.forward = [tail](const Node& node, const Tensors& inputs, const RunMode&) {
        return run(node, inputs, tail);
    };
    if (tail.residual) {
        made.forward_in_place = [tail](const Node& node, Tensors& inputs, const RunMode&) {
            return run_in_place(node, inputs, tail);
        };
    }
    return made;
}

}  // namespace

const Operator& conv_operator(const ConvTail& tail) {
    static const std::array<Operator, 4> all{make_conv({false, false}),
                                             make_conv({true, false}),
                                             make_conv({false, true}),
                                             make_conv({true, true})};
    return all.at((tail.relu ? 1U : 0U) + (tail.residual ? 2U : 0U));
}

}  // namespace topress::network
