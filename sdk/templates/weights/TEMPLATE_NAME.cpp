// TEMPLATE_ID (Apache-2.0): sets the smallest weights of every layer to zero.
#include <topress/plugin.hpp>

class TEMPLATE_CLASS : public topress::Technique {
    void configure(const topress::Params& params) override {
        zero_ratio_ = params.get<double>("zero_ratio");
    }

    void apply(topress::Model& model, topress::Context& context) override {
        double zeros = 0;
        for (const std::string& name : model.parameters()) {
            const at::Tensor weight = model.parameter(name).detach();
            if (weight.dim() >= 2) {  // biases, batch norm and scales have one dimension
                const at::Tensor small = weight.abs().le(weight.abs().quantile(zero_ratio_));
                model.set_parameter(name, weight.masked_fill(small, 0));
                zeros += small.sum().item<double>();
            }
        }
        context.metric("zero_weights", zeros);
    }

    double zero_ratio_ = 0;
};

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("TEMPLATE_TECHNIQUE", TEMPLATE_CLASS));
