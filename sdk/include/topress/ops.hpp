// Operators of a plugin (operator.hpp) and faster implementations of built-in ones, offered to the
// host from TOPRESS_PLUGIN_INIT.
#pragma once

#include <topress/abi.h>
#include <topress/detail/error.hpp>
#include <topress/detail/host.hpp>
#include <topress/operator.hpp>
#include <topress/tensor.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace topress {
namespace detail {

/// C trampolines around two plain functions.
template <auto Forward, auto Backward>
struct QuantizeTrampolines {
    static topress_status forward(const topress_tensor* x,
                                  const topress_tensor* scale,
                                  std::int64_t low,
                                  std::int64_t high,
                                  std::int64_t axis,
                                  topress_tensor* y,
                                  topress_error* error) {
        return guarded(error, [&] {
            to_tensor(y) = Forward(to_tensor(x), to_tensor(scale), low, high, axis);
        });
    }

    static topress_status backward(const topress_tensor* grad_y,
                                   const topress_tensor* x,
                                   const topress_tensor* scale,
                                   std::int64_t low,
                                   std::int64_t high,
                                   std::int64_t axis,
                                   double gradient_factor,
                                   topress_tensor* grad_x,
                                   topress_tensor* grad_scale,
                                   topress_error* error) {
        return guarded(error, [&] {
            std::pair<at::Tensor, at::Tensor> gradients = Backward(to_tensor(grad_y),
                                                                   to_tensor(x),
                                                                   to_tensor(scale),
                                                                   low,
                                                                   high,
                                                                   axis,
                                                                   gradient_factor);
            to_tensor(grad_x) = std::move(gradients.first);
            to_tensor(grad_scale) = std::move(gradients.second);
        });
    }
};

template <auto Gate>
struct ExitGateTrampoline {
    static topress_status gate(const topress_tensor* logits,
                               const char* criterion,
                               double threshold,
                               topress_tensor* leave,
                               topress_tensor* stay,
                               topress_error* error) {
        return guarded(error, [&] {
            std::pair<at::Tensor, at::Tensor> indices =
                Gate(to_tensor(logits), std::string_view(criterion), threshold);
            to_tensor(leave) = std::move(indices.first);
            to_tensor(stay) = std::move(indices.second);
        });
    }
};

}  // namespace detail

/// Offers an implementation of "quantize". The host compares it with the built-in on seeded tensors
/// (per tensor, per channel, channels-last) and uses it for float32 from then on. For a case it
/// does not handle a function throws PluginError{UNSUPPORTED}: the built-in answers then.
///     at::Tensor Forward(x, scale, low, high, axis)
///     std::pair<at::Tensor, at::Tensor> Backward(grad_y, x, scale, low, high, axis,
///     gradient_factor)
/// Throws: PluginError{FAILED} with figures when they disagree.
template <auto Forward, auto Backward>
void implement_quantize() {
    using Trampolines = detail::QuantizeTrampolines<Forward, Backward>;
    const topress_quantize_implementation implementation = {
        sizeof(topress_quantize_implementation), 0, &Trampolines::forward, &Trampolines::backward};
    detail::call(table<topress_ops_v1>(TOPRESS_OPS_1).implement_quantize, &implementation);
}

/// Offers an implementation of the exit gate, on the same terms; its indices must be exact.
///     std::pair<at::Tensor, at::Tensor> Gate(logits, criterion, threshold)   -> {leave, stay}
template <auto Gate>
void implement_exit_gate() {
    const topress_exit_gate_implementation implementation = {
        sizeof(topress_exit_gate_implementation), 0, &detail::ExitGateTrampoline<Gate>::gate};
    detail::call(table<topress_ops_v1>(TOPRESS_OPS_1).implement_exit_gate, &implementation);
}

}  // namespace topress
