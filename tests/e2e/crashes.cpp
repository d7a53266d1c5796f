// A plugin for tests of the conformance suite: it crashes on depthwise convolutions.
#include <topress/plugin.hpp>

#include <ATen/ATen.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
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
            model.set_parameter(name, model.parameter(name) * 0.5);
        }
    }
};

void start() {
    if (std::getenv("CRASHES_FAILS_TO_START") != nullptr) {
        throw std::runtime_error("told not to start");
    }
}

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("crashes.depthwise", Crashes));
TOPRESS_PLUGIN_INIT(start);
