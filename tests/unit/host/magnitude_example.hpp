// The example technique of docs/sdk.md, word for word: a test runs it, another compares the two.
#pragma once
#include <topress/plugin.hpp>

/// Zeroes the smallest weights of every convolution and trains the others.
class MagnitudePruning : public topress::Technique {
  public:
    void configure(const topress::Params& params) override {
        sparsity_ = params.get<double>("sparsity_ratio");
        options_.epochs = params.get<double>("epochs");
    }

    void apply(topress::Model& model, topress::Context& context) override {
        std::map<std::string, at::Tensor> masks;
        for (const topress::NodeView& node : model.nodes()) {
            if (node.op == "conv2d") {
                const at::Tensor size = model.parameter(node.inputs[1]).abs();
                masks[node.inputs[1]] = size > size.flatten().quantile(sparsity_);
            }
        }
        options_.phase = "fine-tune";
        options_.after_step = [&](topress::Model& trained, std::uint64_t, std::uint64_t) {
            for (const auto& [name, mask] : masks) {
                trained.parameter(name).mul_(mask);
            }
        };
        context.fit(model, options_);
        context.metric("sparsity_ratio", sparsity_);
    }

  private:
    double sparsity_ = 0;
    topress::FitOptions options_;
};
