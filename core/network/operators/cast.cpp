// bfloat16 has the range of float, so that no scaling of the loss is needed. What is exact or
// summed over a batch stays float. Source: Kalamkar et al. 2019, arXiv 1905.12322; Micikevicius et
// al. 2018, arXiv 1710.03740, for the parameters in float.
#include "network/operators/cast.hpp"

#include <ATen/core/Tensor.h>

namespace topress::network {
namespace {

at::ScalarType type_for(CastRule rule, const at::Tensor& input, const at::Tensor& first) {
    switch (rule) {
        case CastRule::Bfloat16:
            return at::kBFloat16;
        case CastRule::Activations:
            return input.dim() > 1 ? at::kBFloat16 : at::kFloat;
        case CastRule::AsFirst:
            return first.scalar_type();
        case CastRule::Float:
            break;
    }
    return at::kFloat;
}

}  // namespace

void cast_inputs(const Operator& op, std::vector<at::Tensor>& inputs) {
    for (at::Tensor& input : inputs) {
        input = input.to(type_for(op.cast_rule, input, inputs[0]));
    }
}

}  // namespace topress::network
