// A plugin for tests of the conformance suite: every technique breaks one promise with its
// defaults.
#include <topress/plugin.hpp>

#include <ATen/ATen.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using topress::Context;
using topress::Model;

/// The first parameter of the network.
std::string first_weight(const Model& model) {
    return model.parameters().front();
}

void scale_first(Model& model, double factor) {
    const std::string name = first_weight(model);
    model.set_parameter(name, model.parameter(name) * factor);
}

class WritesUndeclared : public topress::Technique {
    void apply(Model& model, Context& /*context*/) override { scale_first(model, 0.5); }
};

class LeavesNan : public topress::Technique {
    void apply(Model& model, Context& /*context*/) override { scale_first(model, NAN); }
};

class DoesNothing : public topress::Technique {
    void apply(Model& /*model*/, Context& /*context*/) override {}
};

class IsRandom : public topress::Technique {
    void apply(Model& model, Context& /*context*/) override {
        static int calls = 0;
        scale_first(model, 1.0 + 0.25 * ++calls);
    }
};

class UsesData : public topress::Technique {
    void apply(Model& model, Context& context) override {
        topress::BatchReader reader = context.batches(topress::Split::Train);
        static_cast<void>(reader.next());
        scale_first(model, 0.5);
    }
};

class ChangesEnvironment : public topress::Technique {
    void apply(Model& model, Context& /*context*/) override {
        ::setenv("BREAKS_PROMISES", "1", 1);
        scale_first(model, 0.5);
    }
};

class ReportsNan : public topress::Technique {
    void apply(Model& model, Context& context) override {
        context.metric("not-a-number", NAN);
        scale_first(model, 0.5);
    }
};

class IgnoresCancel : public topress::Technique {
    void configure(const topress::Params& params) override {
        iterations_ = params.get<double>("iterations");
    }

    void apply(Model& model, Context& /*context*/) override {
        const double seconds = 0.02 * iterations_ * iterations_ * iterations_;
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        scale_first(model, 0.5);
    }

    double iterations_ = 0;
};

/// Parameters in the library instead of the object.
class SharesParameters : public topress::Technique {
    void configure(const topress::Params& params) override { g_steps = params.get<int>("steps"); }

    void apply(Model& model, Context& /*context*/) override {
        scale_first(model, 1.0 / (1 + g_steps));
    }

    static inline int g_steps = 0;
};

}  // namespace

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("breaks.declared-writes", WritesUndeclared),
               TOPRESS_TECHNIQUE("breaks.stays-finite", LeavesNan),
               TOPRESS_TECHNIQUE("breaks.effect", DoesNothing),
               TOPRESS_TECHNIQUE("breaks.same-seed", IsRandom),
               TOPRESS_TECHNIQUE("breaks.declared-needs", UsesData),
               TOPRESS_TECHNIQUE("breaks.process-state", ChangesEnvironment),
               TOPRESS_TECHNIQUE("breaks.finite-metrics", ReportsNan),
               TOPRESS_TECHNIQUE("breaks.cancels", IgnoresCancel),
               TOPRESS_TECHNIQUE("breaks.instances", SharesParameters));
