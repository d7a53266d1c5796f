// Unwraps tensors for the kernels. Any dense memory order will do, as long as all tensors of a call
// share it.
#include "fused_quantize.hpp"

#include "kernels/fake_quant.hpp"

#include <topress/ops.hpp>
#include <topress/stream.hpp>

#include <ATen/ATen.h>

namespace topress::quantization {
namespace {

/// The tensor as (outer, channels, inner). Channel axis 0 is outermost in every dense order of a
/// weight; other axes are left to the built-in.
FakeQuantShape shape_of(const at::Tensor& x, std::int64_t axis) {
    if (axis < 0) {
        return {1, 1, x.numel()};
    }
    if (axis > 0) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED, "only channel axis 0");
    }
    return {1, x.size(0), x.size(0) == 0 ? 0 : x.numel() / x.size(0)};
}

/// x itself when its elements fill their memory and, for a channel axis, channel 0 comes first.
at::Tensor dense(const at::Tensor& x, std::int64_t axis) {
    const bool fills = x.is_non_overlapping_and_dense();
    const bool outermost =
        axis < 0 || x.dim() == 0 || x.size(0) <= 1 || x.stride(0) * x.size(0) == x.numel();
    return fills && outermost ? x : x.contiguous();
}

/// `other` in the memory order of `like`.
at::Tensor in_order_of(const at::Tensor& other, const at::Tensor& like) {
    if (other.strides() == like.strides()) {
        return other;
    }
    at::Tensor copy = at::empty_strided(like.sizes(), like.strides(), other.options());
    copy.copy_(other);
    return copy;
}

void require_float(const at::Tensor& x) {
    if (x.scalar_type() != at::kFloat) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED, "only float32");
    }
}

FakeQuantRange range_of(std::int64_t low, std::int64_t high) {
    return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(high)};
}

at::Tensor forward(const at::Tensor& value,
                   const at::Tensor& scale,
                   std::int64_t low,
                   std::int64_t high,
                   std::int64_t axis) {
    require_float(value);
    const at::Tensor x = dense(value, axis);
    const at::Tensor s = scale.contiguous();
    at::Tensor y = at::empty_strided(x.sizes(), x.strides(), x.options());
    const auto shape = shape_of(x, axis);
    const auto range = range_of(low, high);
#if TOPRESS_HAVE_CUDA
    if (x.is_cuda()) {
        launch_fake_quant_forward(x.const_data_ptr<float>(),
                                  s.const_data_ptr<float>(),
                                  shape,
                                  range,
                                  y.mutable_data_ptr<float>(),
                                  current_stream(x.device()));
        return y;
    }
#endif
    if (!x.is_cpu()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "this build of the plugin has no CUDA kernels");
    }
    fake_quant_forward_cpu(x.const_data_ptr<float>(),
                           s.const_data_ptr<float>(),
                           shape,
                           range,
                           y.mutable_data_ptr<float>());
    return y;
}

std::pair<at::Tensor, at::Tensor> backward(const at::Tensor& grad,
                                           const at::Tensor& value,
                                           const at::Tensor& scale,
                                           std::int64_t low,
                                           std::int64_t high,
                                           std::int64_t axis,
                                           double gradient_factor) {
    require_float(value);
    const at::Tensor x = dense(value, axis);
    const at::Tensor s = scale.contiguous();
    const at::Tensor grad_y = in_order_of(grad, x);
    at::Tensor grad_x = at::empty_strided(x.sizes(), x.strides(), x.options());
    at::Tensor grad_scale = at::empty_like(s);
    const auto shape = shape_of(x, axis);
    const auto range = range_of(low, high);
    const auto factor = static_cast<float>(gradient_factor);
#if TOPRESS_HAVE_CUDA
    if (x.is_cuda()) {
        at::Tensor workspace = at::empty({fake_quant_workspace_floats(shape)}, x.options());
        launch_fake_quant_backward(grad_y.const_data_ptr<float>(),
                                   x.const_data_ptr<float>(),
                                   s.const_data_ptr<float>(),
                                   shape,
                                   range,
                                   factor,
                                   grad_x.mutable_data_ptr<float>(),
                                   grad_scale.mutable_data_ptr<float>(),
                                   workspace.mutable_data_ptr<float>(),
                                   current_stream(x.device()));
        return {grad_x, grad_scale};
    }
#endif
    if (!x.is_cpu()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "this build of the plugin has no CUDA kernels");
    }
    fake_quant_backward_cpu(grad_y.const_data_ptr<float>(),
                            x.const_data_ptr<float>(),
                            s.const_data_ptr<float>(),
                            shape,
                            range,
                            factor,
                            grad_x.mutable_data_ptr<float>(),
                            grad_scale.mutable_data_ptr<float>());
    return {grad_x, grad_scale};
}

}  // namespace

void offer_fused_quantize() {
    implement_quantize<&forward, &backward>();
}

}  // namespace topress::quantization
