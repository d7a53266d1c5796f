// run_stage: what a failing or careless technique can and cannot do to the host's networks.
#include "unit/host/stage.hpp"

#include <c10/core/GradMode.h>

namespace topress::test {

TEST_SUITE("host: stage") {
    TEST_CASE("a technique that fails leaves the network as it was") {
        Stage stage;
        std::string message;
        try {
            stage.run([](Model& model, Context&) {
                model.parameter("l.bias").fill_(9);
                model.keep_channels(model.groups()[0].name, {0});
                throw std::runtime_error("second thoughts\nwith a stack trace");
            });
        } catch (const Error& error) {
            message = error.code() + " " + error.what();
        }
        CHECK(message == "plugin/apply-failed test.function: second thoughts");
        CHECK(stage.model.parameter("c.weight").tensor.size(0) == 4);
        CHECK(stage.model.parameter("l.bias").tensor.sum().item<double>() == 0);
    }

    TEST_CASE("the advice of a failure of the host comes through the plugin, and no other") {
        Stage stage;
        const auto failure_of = [&](Body body) {
            try {
                stage.run(std::move(body));
            } catch (const Error& error) {
                return error;
            }
            return Error("none", "nothing failed");
        };
        const auto diverge = [](Model& model, Context& context) {
            FitOptions options;
            options.epochs = 2;
            options.learning_rate = 1e30;
            context.fit(model, options);
        };
        const Error plain = failure_of(diverge);
        CHECK(plain.code() == "plugin/apply-failed");
        CHECK(contains(plain.what(), "train/diverged"));
        CHECK(contains(plain.hint(), "lower train.learning_rate"));
        const Error wrapped = failure_of([&](Model& model, Context& context) {
            try {
                diverge(model, context);
            } catch (const PluginError& error) {
                throw PluginError(error.code(), std::string("second try: ") + error.what());
            }
        });
        CHECK(wrapped.hint() == plain.hint());
        const Error other = failure_of([&](Model& model, Context& context) {
            try {
                diverge(model, context);
            } catch (const PluginError&) {
                throw PluginError(TOPRESS_ERROR_FAILED, "something else");
            }
        });
        CHECK(other.hint().empty());
    }

    TEST_CASE("the original can be read but not changed") {
        Stage stage;
        stage.run([](Model&, Context& context) {
            Model original = context.original();
            CHECK(original.nodes().size() == 6);
            const auto refused = [&](const std::function<void()>& action) {
                return contains(error_of(action).what(), "must not be changed");
            };
            CHECK(refused([&] { original.set_output("f.out"); }));
            CHECK(refused([&] { original.set_parameter("l.bias", at::ones({3})); }));
            CHECK(refused([&] { original.keep_channels("c", {0}); }));
            CHECK(refused([&] { original.assign(original); }));
            CHECK(refused([&] { context.fit(original, {}); }));
            CHECK(refused([&] { context.update_statistics(original, 1); }));
            original.parameter("l.bias").fill_(4);
        });
        CHECK(stage.original.parameter("l.bias").tensor.sum().item<double>() == 0);
    }

    TEST_CASE("gradients of a careless technique end with its stage; its gradient mode is seen") {
        Stage stage;
        stage.run([](Model& model, Context&) {
            at::Tensor bias = model.parameter("l.bias");
            bias.requires_grad_(true);
            bias.sum().backward();
            c10::GradMode::set_enabled(false);
        });
        // Left as it is, so that the checks after a stage can tell (check/global-state).
        CHECK(!c10::GradMode::is_enabled());
        c10::GradMode::set_enabled(true);
        CHECK(!stage.model.parameter("l.bias").tensor.requires_grad());
        CHECK(!stage.model.parameter("l.bias").tensor.grad().defined());
    }

    TEST_CASE("a tensor that a technique kept is not one of the network's") {
        at::Tensor kept;
        Stage stage;
        stage.run([&](Model& model, Context&) {
            model.set_parameter("l.bias", at::ones({3}));
            kept = model.parameter("l.bias");
        });
        kept.fill_(7);
        CHECK(stage.model.parameter("l.bias").tensor.sum().item<double>() == 3);
    }

    TEST_CASE("owned networks may outlive edits and be dropped in any order") {
        Stage().run([](Model& model, Context&) {
            std::vector<OwnedModel> networks;
            for (int i = 0; i < 3; ++i) {
                networks.push_back(model.clone());
            }
            networks.erase(networks.begin());
            networks[0] = std::move(networks[1]);
            CHECK(networks[0].nodes().size() == 6);
        });
    }
}

}  // namespace topress::test
