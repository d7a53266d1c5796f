// The operator: a weight that is looked up in a codebook, whose gradient flows to the centroids.
#pragma once

#include <topress/operator.hpp>

namespace example::clustering {

constexpr const char* kLookup = "org.example.clustering.lookup";

/// Inputs: the weight it stands for (keeps its place and its name; its numbers are not read),
/// indices of its shape, codebook (k). Output: codebook[indices]. Lowered, the weight holds that
/// itself.
class Lookup : public topress::Operator {
  public:
    [[nodiscard]] topress::OperatorTraits traits() const override;
    [[nodiscard]] topress::Shape shape(const topress::OperatorNode& node,
                                       const std::vector<topress::Shape>& inputs) const override;
    [[nodiscard]] at::Tensor forward(const topress::OperatorNode& node,
                                     const std::vector<at::Tensor>& inputs,
                                     bool training) const override;
    [[nodiscard]] std::vector<at::Tensor> backward(
        const topress::OperatorNode& node,
        const at::Tensor& grad_output,
        const std::vector<at::Tensor>& inputs) const override;
    void lower(topress::Model& model, const topress::NodeView& node) const override;
};

/// For TOPRESS_PLUGIN_INIT.
void register_lookup();

}  // namespace example::clustering
