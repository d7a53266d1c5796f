// A plugin for tests of the conformance suite: it crashes on depthwise convolutions.
#include <topress/plugin.hpp>

#include <csignal>
#include <string>

namespace {

using topress::Context;
using topress::Model;

class Crashes : public topress::Technique {
    void apply(Model& model, Context& /*context*/) override {
        for (const std::string& name : model.parameters()) {
            if (name.find("depthwise") != std::string::npos) {
                static_cast<void>(std::raise(SIGSEGV));
            }
            model.set_parameter(name, model.parameter(name).mul(0.5));
        }
    }
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("crashes.depthwise", Crashes));
