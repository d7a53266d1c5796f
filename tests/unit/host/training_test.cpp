// Training through the SDK: losses, hooks, groups, and what happens when they fail.
#include "unit/host/stage.hpp"

#include <topress/follow_original.hpp>

namespace topress::test {

namespace {

at::Tensor cross_entropy(const LossInput& input) {
    return at::cross_entropy_loss(input.outputs.back(), input.labels);
}

struct OwnException : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string error_code(Stage& stage, Body body) {
    try {
        stage.run(std::move(body));
    } catch (const Error& error) {
        return error.code() + " " + error.what();
    }
    return "";
}

}  // namespace

TEST_SUITE("host: training") {
    TEST_CASE("a fit learns and leaves its curve with the host") {
        Stage stage;
        stage.run([](Model& model, Context& context) {
            const Evaluation before = context.evaluate(model);
            CHECK(before.samples == 24);
            FitOptions options;
            options.epochs = 6;
            options.phase = "learn";
            const FitReport report = context.fit(model, options);
            CHECK(report.steps == 30);
            const Evaluation after = context.evaluate(model);
            CHECK(after.loss < before.loss);
            CHECK(after.accuracy > 0.9);
        });
        REQUIRE(stage.services.curves.size() == 6);
        CHECK(stage.services.curves[0].phase == "learn");
    }

    TEST_CASE("the same seed gives the same bits and the stage's generator is the default") {
        Stage().run([](Model& model, Context& context) {
            const auto weights = [&](std::optional<std::uint64_t> seed) {
                OwnedModel copy = model.clone();
                FitOptions options;
                options.seed = seed;
                context.fit(copy, options);
                return copy.parameter("l.weight");
            };
            CHECK(at::equal(weights(3), weights(3)));
            CHECK(!at::equal(weights(3), weights(4)));
            CHECK(!at::equal(weights({}), weights({})));
        });
    }

    TEST_CASE("a loss with autograd equals the built-in cross entropy") {
        Stage().run([](Model& model, Context& context) {
            OwnedModel other = model.clone();
            FitOptions options;
            options.seed = 3;
            context.fit(model, options);
            options.loss = autograd_loss(cross_entropy);
            context.fit(other, options);
            CHECK(
                at::allclose(model.parameter("l.weight"), other.parameter("l.weight"), 1e-4, 1e-6));
        });
    }

    TEST_CASE("a loss sees outputs of exits and teacher and may leave gradients out") {
        Stage().run([](Model& model, Context& context) {
            model.attach_exit({"early", "l.out"});
            FitOptions options;
            options.teacher = &context.original();
            int calls = 0;
            options.loss = [&](const LossInput& input) {
                CHECK(input.outputs.size() == 2);
                CHECK(!input.outputs[0].requires_grad());
                CHECK(input.teacher.sizes() == at::IntArrayRef({12, 3}));
                CHECK(input.images.sizes() == at::IntArrayRef({12, 1, 8, 8}));
                CHECK(input.labels.size(0) == 12);
                CHECK(input.step == static_cast<std::uint64_t>(calls++));
                CHECK(input.steps == 5);
                return Loss{at::ones({}), {at::Tensor(), at::zeros_like(input.outputs[1])}};
            };
            const FitReport report = context.fit(model, options);
            CHECK(calls == 5);
            CHECK(report.final_loss == 1);
        });
    }

    TEST_CASE("a run may attach the original's logits to every fit without a loss of its own") {
        // The weights after a fit; `own` sets what the technique itself asks for.
        const auto trained = [](double of_the_run,
                                const std::function<void(FitOptions&, Context&)>& own) {
            Stage stage;
            stage.original = make_network(2);
            train::TrainingDefaults defaults = make_defaults();
            defaults.original_weight = of_the_run;
            train::Trainer trainer(stage.data, defaults, at::kCPU);
            stage.services.trainer = &trainer;
            at::Tensor weights;
            stage.run([&](Model& model, Context& context) {
                model.attach_exit({"early", "l.out"});
                FitOptions options;
                options.seed = 3;
                own(options, context);
                context.fit(model, options);
                weights = model.parameter("l.weight").clone();
            });
            return weights;
        };
        const auto nothing = [](FitOptions&, Context&) {};
        const at::Tensor alone = trained(0, nothing);
        const at::Tensor attached = trained(3, nothing);
        CHECK(!at::allclose(alone, attached, 1e-3, 1e-4));
        const at::Tensor followed = trained(0, [](FitOptions& options, Context& context) {
            follow_original(options, context.original(), 3, context.info().loss);
        });
        CHECK(at::allclose(followed, attached, 1e-4, 1e-5));
        const auto bring_a_loss = [](FitOptions& options, Context&) {
            options.loss = autograd_loss(cross_entropy);
        };
        CHECK(at::equal(trained(0, bring_a_loss), trained(3, bring_a_loss)));
    }

    TEST_CASE("an exception of a loss comes out of the fit as it is") {
        Stage stage;
        const std::string code = error_code(stage, [](Model& model, Context& context) {
            FitOptions options;
            options.loss = [](const LossInput&) -> Loss { throw OwnException("no loss today"); };
            CHECK_THROWS_AS(context.fit(model, options), OwnException);
            CHECK(!model.parameter("l.weight").requires_grad());
            context.fit(model, options);
        });
        CHECK(contains(code, "plugin/apply-failed"));
        CHECK(contains(code, "no loss today"));
    }

    TEST_CASE("a loss with wrong shapes is refused") {
        Stage().run([](Model& model, Context& context) {
            FitOptions options;
            const auto message = [&](Loss loss) {
                options.loss = [loss](const LossInput&) { return loss; };
                return std::string(error_of([&] { context.fit(model, options); }).what());
            };
            CHECK(contains(message({at::ones({}), {}}), "0 gradients for 1 outputs"));
            CHECK(contains(message({at::Tensor(), {at::zeros({12, 3})}}), "no scalar loss"));
            CHECK(contains(message({at::ones({}), {at::zeros({12, 4})}}), "another shape"));
        });
    }

    TEST_CASE("a loss that depends on nothing is named") {
        Stage().run([](Model& model, Context& context) {
            FitOptions options;
            options.loss = autograd_loss([](const LossInput&) { return at::ones({}); });
            CHECK(error_of([&] { context.fit(model, options); }).where() == "autograd_loss");
        });
    }

    TEST_CASE("hooks see gradients before and changed weights after each step") {
        Stage().run([](Model& model, Context& context) {
            FitOptions options;
            int before = 0;
            int after = 0;
            at::Tensor seen;
            options.after_backward = [&](Model& hooked, std::uint64_t step, std::uint64_t steps) {
                CHECK(step == static_cast<std::uint64_t>(before++));
                CHECK(steps == 5);
                CHECK(hooked.parameter("l.weight").grad().defined());
                seen = hooked.parameter("l.weight").clone();
            };
            options.after_step = [&](Model& hooked, std::uint64_t, std::uint64_t) {
                ++after;
                CHECK(!at::equal(hooked.parameter("l.weight"), seen));
                hooked.parameter("l.bias").zero_();
            };
            context.fit(model, options);
            CHECK(before == 5);
            CHECK(after == 5);
            CHECK(model.parameter("l.bias").abs().sum().item<double>() == 0);
        });
    }

    TEST_CASE("an exception of a hook comes out of the fit") {
        Stage().run([](Model& model, Context& context) {
            FitOptions options;
            options.after_step = [](Model&, std::uint64_t, std::uint64_t) {
                throw PluginError(TOPRESS_ERROR_UNSUPPORTED, "not today", "hook");
            };
            const PluginError error = error_of([&] { context.fit(model, options); });
            CHECK(error.code() == TOPRESS_ERROR_UNSUPPORTED);
            CHECK(error.where() == "hook");
        });
    }

    TEST_CASE("groups choose what is trained") {
        Stage().run([](Model& model, Context& context) {
            const at::Tensor conv = model.parameter("c.weight").clone();
            const at::Tensor bias = model.parameter("l.bias").clone();
            FitOptions options;
            options.groups = {{"", "l.bias", 2.0, 0.0}};
            options.freeze_others = true;
            options.freeze_statistics = true;
            context.fit(model, options);
            CHECK(at::equal(model.parameter("c.weight"), conv));
            CHECK(!at::equal(model.parameter("l.bias"), bias));
            CHECK(model.parameter("b.mean").abs().sum().item<double>() == 0);
        });
    }

    TEST_CASE("groups that name nothing or something unknown are refused") {
        Stage().run([](Model& model, Context& context) {
            FitOptions options;
            const auto status = [&](const ParameterGroup& group) {
                options.groups = {group};
                return status_of([&] { context.fit(model, options); });
            };
            CHECK(status({"", "", 1, {}}) == TOPRESS_ERROR_INVALID_ARGUMENT);
            CHECK(status({"wieght", "", 1, {}}) == TOPRESS_ERROR_NOT_FOUND);
            CHECK(status({"", "l.wieght", 1, {}}) == TOPRESS_ERROR_NOT_FOUND);
        });
    }

    TEST_CASE("a negative number of epochs is refused") {
        Stage().run([](Model& model, Context& context) {
            FitOptions options;
            options.epochs = -1;
            CHECK(status_of([&] { context.fit(model, options); }) ==
                  TOPRESS_ERROR_INVALID_ARGUMENT);
        });
    }

    TEST_CASE("a fit stops when the user wants to") {
        Stage stage;
        stage.services.cancelled = [] { return true; };
        const std::string code = error_code(stage, [](Model& model, Context& context) {
            CHECK(status_of([&] { context.fit(model, {}); }) == TOPRESS_ERROR_CANCELLED);
            context.fit(model, {});
        });
        CHECK(contains(code, "run/interrupted"));
        // The trainer was given back: outside of the stage it is not cancelled.
        network::Network network = make_network();
        CHECK(stage.trainer.fit(network, {}).steps == 5);
    }

    TEST_CASE("statistics are measured anew from training batches") {
        Stage().run([](Model& model, Context& context) {
            context.update_statistics(model, 2);
            CHECK(model.parameter("b.mean").abs().sum().item<double>() > 0);
        });
    }
}

}  // namespace topress::test
