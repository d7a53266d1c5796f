// bfloat16 has the range of float, so that no scaling of the loss is needed. What is exact or
// summed over a batch stays float. Source: Kalamkar et al. 2019, arXiv 1905.12322; Micikevicius et
// al. 2018, arXiv 1710.03740, for the parameters in float.
#include "network/operators/cast.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::network {
namespace {

void cast(at::Tensor& tensor, at::ScalarType type) {
    if (tensor.defined() && tensor.is_floating_point() && tensor.scalar_type() != type) {
        tensor = tensor.to(type);
    }
}

}  // namespace

void cast_inputs(const Operator& op, std::vector<at::Tensor>& inputs) {
    switch (op.cast_rule) {
        case CastRule::Float:
            for (at::Tensor& input : inputs) {
                cast(input, at::kFloat);
            }
            return;
        case CastRule::Bfloat16:
            for (at::Tensor& input : inputs) {
                cast(input, at::kBFloat16);
            }
            return;
        case CastRule::Activations:
            for (at::Tensor& input : inputs) {
                cast(input, input.dim() > 1 ? at::kBFloat16 : at::kFloat);
            }
            return;
        case CastRule::AsFirst:
            for (at::Tensor& input : inputs) {
                cast(input, inputs[0].scalar_type());
            }
            return;
    }
}

}  // namespace topress::network
