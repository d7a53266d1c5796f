// The sign and its gradients. Weights alone are binary, a small part of a step: ATen is fast
// enough.
#include "network/operators/binarize.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

namespace topress::network {
namespace {

at::Tensor compute_forward(const at::Tensor& x, const at::Tensor& scale, std::int64_t axis) {
    const at::Tensor size = broadcast_scale(x, scale, axis);
    return at::where(x >= 0, size, -size);
}

class Binarize : public torch::autograd::Function<Binarize> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext* context,
                              const at::Tensor& x,
                              const at::Tensor& scale,
                              std::int64_t axis,
                              double factor) {
        context->save_for_backward({x, scale});
        context->saved_data["axis"] = axis;
        context->saved_data["factor"] = factor;
        return compute_forward(x, scale, axis);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& grads) {
        if (!grads[0].defined()) {
            return std::vector<at::Tensor>(4);
        }
        const auto saved = context->get_saved_variables();
        const at::Tensor& x = saved[0];
        const at::Tensor& scale = saved[1];
        const std::int64_t axis = context->saved_data["axis"].toInt();
        const at::Tensor grad_y = grads[0];
        const at::Tensor soft = at::div(x, broadcast_scale(x, scale, axis)).tanh_();
        const at::Tensor signed_grad = at::where(x >= 0, grad_y, -grad_y);
        return {
            grad_y * (1 - soft.square()),
            sum_to_scale(signed_grad, scale, axis).mul_(context->saved_data["factor"].toDouble()),
            {},
            {}};
    }
};

}  // namespace

at::Tensor binarize(const at::Tensor& x,
                    const at::Tensor& scale,
                    std::int64_t axis,
                    double factor) {
    if (!at::GradMode::is_enabled() || !(x.requires_grad() || scale.requires_grad())) {
        return compute_forward(x, scale, axis);
    }
    return Binarize::apply(x, scale, axis, factor);
}

at::Tensor broadcast_scale(const at::Tensor& x, const at::Tensor& scale, std::int64_t axis) {
    if (axis < 0) {
        return scale;
    }
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(x.dim()), 1);
    sizes[static_cast<std::size_t>(axis)] = scale.numel();
    return scale.view(sizes);
}

at::Tensor sum_to_scale(const at::Tensor& x, const at::Tensor& scale, std::int64_t axis) {
    if (axis < 0) {
        return x.sum().view_as(scale);
    }
    std::vector<std::int64_t> others;
    for (std::int64_t dim = 0; dim < x.dim(); ++dim) {
        if (dim != axis) {
            others.push_back(dim);
        }
    }
    return others.empty() ? x.clone() : x.sum(others);
}

}  // namespace topress::network
