// TEMPLATE_ID: trains the network with weights that are powers of two, through its own operator.
// SPDX-License-Identifier: Apache-2.0
#include <topress/ops.hpp>
#include <topress/plugin.hpp>

namespace {

constexpr const char* kRound = "TEMPLATE_ID.power-of-two";
constexpr double kLeast = 1.0 / (1 << 20);  // smaller weights take this magnitude

at::Tensor nearest_powers(const at::Tensor& weight) {
    return weight.abs().clamp_min(kLeast).log2().round().exp2().mul(weight.sign());
}

/// weight -> the nearest powers of two. Rounding has no gradient, so it is passed straight through.
class PowerOfTwo : public topress::Operator {
  public:
    topress::OperatorTraits traits() const override {
        return {kRound, 1, 1, topress::Channels::Elementwise};
    }

    at::Tensor forward(const topress::OperatorNode&,
                       const std::vector<at::Tensor>& inputs,
                       bool /*training*/) const override {
        return nearest_powers(inputs.at(0));
    }

    std::vector<at::Tensor> backward(const topress::OperatorNode&,
                                     const at::Tensor& grad_output,
                                     const std::vector<at::Tensor>&) const override {
        return {grad_output.clone()};
    }

    /// Called by the host at the end of the stage: the rounded weights stay, the operator goes.
    void lower(topress::Model& model, const topress::NodeView& node) const override {
        const std::string& weight = node.inputs.at(0);
        model.set_parameter(weight, nearest_powers(model.parameter(weight).detach()));
        model.replace_uses(node.outputs.at(0), weight);
        model.remove_node(node.name);
    }
};

class TEMPLATE_CLASS : public topress::Technique {
    void configure(const topress::Params& params) override {
        training_.epochs = params.get<double>("epochs");
        training_.learning_rate_factor = 0.1;
        training_.phase = "round";
    }

    void apply(topress::Model& model, topress::Context& context) override {
        double count = 0;
        for (const std::string& weight : model.parameters()) {
            const at::Tensor tensor = model.parameter(weight);
            if (tensor.dim() >= 2) {  // biases, batch norm and scales have one dimension
                model.add_node(weight + ".round", kRound, {weight}, {weight + ".rounded"});
                model.replace_uses(weight, weight + ".rounded");
                count += static_cast<double>(tensor.numel());
            }
        }
        context.fit(model, training_);
        context.metric("rounded_weights", count);
    }

    topress::FitOptions training_;
};

void register_operators() {
    topress::register_operator<PowerOfTwo>();
}

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("TEMPLATE_TECHNIQUE", TEMPLATE_CLASS));
TOPRESS_PLUGIN_INIT(register_operators);
