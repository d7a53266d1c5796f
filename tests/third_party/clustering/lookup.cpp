// Codebook lookup. Source: Han et al. 2016, arXiv 1510.00149: the gradient of a centroid is the sum
// over the weights that share it.
#include "lookup.hpp"

#include "codebook.hpp"

#include <ATen/ATen.h>

namespace example::clustering {

topress::OperatorTraits Lookup::traits() const {
    return {kLookup, 3, 3, topress::Channels::Elementwise};
}

topress::Shape Lookup::shape(const topress::OperatorNode& /*node*/,
                             const std::vector<topress::Shape>& inputs) const {
    if (inputs[0] != inputs[1] || inputs[2].size() != 1) {
        throw topress::PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                                   "weight and indices have different shapes, or the codebook is "
                                   "no vector");
    }
    return inputs[0];
}

at::Tensor Lookup::forward(const topress::OperatorNode& /*node*/,
                           const std::vector<at::Tensor>& inputs,
                           bool /*training*/) const {
    return look_up(inputs[2], inputs[1]);
}

std::vector<at::Tensor> Lookup::backward(const topress::OperatorNode& /*node*/,
                                         const at::Tensor& grad_output,
                                         const std::vector<at::Tensor>& inputs) const {
    const at::Tensor& codebook = inputs[2];
    return {at::Tensor(),
            at::Tensor(),
            cluster_sums(grad_output, inputs[1], codebook.numel()).to(codebook.dtype())};
}

void Lookup::lower(topress::Model& model, const topress::NodeView& node) const {
    model.set_parameter(node.inputs[0],
                        look_up(model.parameter(node.inputs[2]), model.parameter(node.inputs[1])));
    model.replace_uses(node.outputs[0], node.inputs[0]);
    model.remove_node(node.name);
}

void register_lookup() {
    topress::register_operator<Lookup>();
}

}  // namespace example::clustering
