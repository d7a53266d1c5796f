// The whole plugin: one technique that multiplies weights by a constant.
#include <topress/plugin.hpp>

namespace {

class Scale : public topress::Technique {
    void configure(const topress::Params& params) override {
        factor_ = params.get<double>("factor");
    }

    void apply(topress::Model& model, topress::Context& context) override {
        for (const topress::NodeView& node : model.nodes()) {
            if (node.op == "conv2d" || node.op == "linear") {
                const std::string& weight = node.inputs.at(1);
                model.set_parameter(weight, model.parameter(weight).detach().mul(factor_));
            }
        }
        context.log_info("multiplied every weight by " + std::to_string(factor_));
    }

    double factor_ = 1.0;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("example.scale", Scale));
