// A plugin for tests that breaks one promise at a time: the host's post-checks must see each.
#include <topress/plugin.hpp>

#include <ATen/ATen.h>
#include <c10/core/DefaultDtype.h>

#include <string>

namespace {

class Misbehaves : public topress::Technique {
    void configure(const topress::Params& params) override {
        what_ = params.get<std::string>("what");
    }

    void apply(topress::Model& model, topress::Context& /*context*/) override {
        const std::string weight = "head.linear.weight";
        if (what_ == "undeclared") {
            model.set_parameter(weight, model.parameter(weight) * 2);
        } else if (what_ == "nan") {
            model.set_parameter(weight, model.parameter(weight) / 0);
        } else if (what_ == "classes") {
            model.set_parameter(weight, model.parameter(weight).narrow(0, 0, 3).clone());
            const std::string bias = "head.linear.bias";
            model.set_parameter(bias, model.parameter(bias).narrow(0, 0, 3).clone());
        } else if (what_ == "double-by-default") {
            c10::set_default_dtype(caffe2::TypeMeta::Make<double>());
        }
    }

    std::string what_;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("fixture.misbehaves", Misbehaves));
