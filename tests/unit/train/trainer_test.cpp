// Tests train/trainer.cpp: learning, repeatability, freezing, losses and hooks, cancellation.
#include "train/trainer.hpp"

#include "base/error.hpp"
#include "network/execute.hpp"
#include "train/loss.hpp"
#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace topress;
using train::FitOptions;
using train::FitReport;
using train::LossInput;
using train::LossResult;
using train::Trainer;
using train::test::is_plain;
using train::test::same_parameters;
using train::test::stripes;
using train::test::tiny_network;

namespace {

const at::Device kCpu(at::kCPU);

Trainer make_trainer(const train::TrainingData& data) {
    return {data, train::test::defaults(), kCpu};
}

FitOptions options_of(double epochs, std::uint64_t seed = 1) {
    FitOptions options;
    options.epochs = epochs;
    options.seed = seed;
    return options;
}

std::string code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return "";
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("fit: in bfloat16 the task is learnt too, and parameters stay float") {
        const train::TrainingData data = stripes();
        train::TrainingDefaults defaults = train::test::defaults();
        defaults.learning_rate = 0.2;
        defaults.reduced = true;
        Trainer trainer(data, defaults, kCpu);
        network::Network net = tiny_network(3, true);
        const network::Network teacher = tiny_network(4);
        FitOptions options = options_of(15);
        options.teacher = &teacher;  // asked in bfloat16 as well; the default loss needs no answer
        const FitReport report = trainer.fit(net, options);
        CHECK(trainer.evaluate(net, data.validation).accuracy > 0.95);
        CHECK(report.final_loss < report.epochs.front().loss / 2);
        CHECK(is_plain(net));
        for (const auto& parameter : net.parameters()) {
            CHECK((parameter.tensor.scalar_type() == at::kFloat));
        }
        // Not the same as in float: otherwise nothing was reduced.
        defaults.reduced = false;
        network::Network exact = tiny_network(3, true);
        Trainer(data, defaults, kCpu).fit(exact, options);
        CHECK_FALSE(same_parameters(net, exact));
    }

    TEST_CASE("fit: a tiny network learns a separable task") {
        const train::TrainingData data = stripes();
        for (const char* optimizer : {"sgd", "adamw"}) {
            CAPTURE(optimizer);
            train::TrainingDefaults defaults = train::test::defaults();
            defaults.optimizer = optimizer;
            defaults.learning_rate = std::string(optimizer) == "sgd" ? 0.2 : 0.03;
            Trainer trainer(data, defaults, kCpu);
            network::Network net = tiny_network(3);
            const FitReport report = trainer.fit(net, options_of(15));
            CHECK(trainer.evaluate(net, data.validation).accuracy > 0.95);
            CHECK(report.final_loss < report.epochs.front().loss / 3);
            CHECK(report.epochs.back().train_accuracy > 0.95);
            CHECK(is_plain(net));
        }
    }

    TEST_CASE("fit: same seed gives the same bits and another seed others") {
        train::TrainingData data = stripes();
        data.augmentation = {1, true};
        Trainer trainer = make_trainer(data);
        network::Network first = tiny_network(3);
        network::Network second = tiny_network(3);
        network::Network other = tiny_network(3);
        trainer.fit(first, options_of(2, 5));
        trainer.fit(second, options_of(2, 5));
        trainer.fit(other, options_of(2, 6));
        CHECK(same_parameters(first, second));
        CHECK_FALSE(same_parameters(first, other));
    }

    TEST_CASE("fit: one step of sgd is the gradient by autograd times the rate") {
        train::TrainingData data = stripes();
        train::TrainingDefaults defaults = train::test::defaults();
        defaults.batch_size = 300;
        defaults.momentum = 0;
        defaults.weight_decay = 0;
        defaults.schedule = "constant";
        Trainer trainer(data, defaults, kCpu);
        network::Network net = tiny_network(3);
        const network::Network before = net.clone();
        trainer.fit(net, options_of(1));
        // The slope of the loss along the step, by two evaluations of the training-mode loss.
        data::BatchReader reader(data.train, data.normalisation, 300);
        const data::Batch batch = *reader.next();
        const auto loss_at = [&](const network::Network& from, double shift) {
            network::Network moved = from.clone();
            at::Tensor bias = moved.parameter("linear.bias").tensor;
            bias[1] += shift;
            const at::Tensor logits =
                network::forward(moved, batch.images, {true, false, 0.1}).back();
            return train::cross_entropy(logits.to(at::kDouble), batch.labels, 0)
                .loss.item<double>();
        };
        const double slope = (loss_at(before, 1e-2) - loss_at(before, -1e-2)) / 2e-2;
        const double step =
            (net.parameter("linear.bias").tensor[1] - before.parameter("linear.bias").tensor[1])
                .item<double>();
        CHECK(step == doctest::Approx(-0.2 * slope).epsilon(1e-3));
    }

    TEST_CASE("fit: frozen parameters keep their bits") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        const network::Network before = net.clone();
        FitOptions options = options_of(1);
        options.groups = {{"", "linear.weight", 1.0, std::nullopt}};
        options.freeze_others = true;
        trainer.fit(net, options);
        for (const network::Parameter& parameter : before.parameters()) {
            CAPTURE(parameter.name);
            const bool same = at::equal(parameter.tensor, net.parameter(parameter.name).tensor);
            const bool is_free = parameter.name == "linear.weight" ||
                                 parameter.role == network::Role::Buffer;  // statistics go on
            CHECK(same == !is_free);
        }
    }

    TEST_CASE("fit: freeze_statistics keeps the running statistics") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        const network::Network before = net.clone();
        FitOptions options = options_of(1);
        options.freeze_statistics = true;
        trainer.fit(net, options);
        CHECK(at::equal(net.parameter("bn.mean").tensor, before.parameter("bn.mean").tensor));
        CHECK(
            at::equal(net.parameter("bn.variance").tensor, before.parameter("bn.variance").tensor));
        CHECK_FALSE(
            at::equal(net.parameter("bn.gamma").tensor, before.parameter("bn.gamma").tensor));
    }

    TEST_CASE("fit: a custom loss with the built-in gradient trains the same bits") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network usual = tiny_network(3);
        network::Network custom = tiny_network(3);
        trainer.fit(usual, options_of(1));
        FitOptions options = options_of(1);
        std::uint64_t calls = 0;
        options.loss = [&](const LossInput& input) {
            CHECK(input.step == calls);
            CHECK(input.steps == 10);
            CHECK_FALSE(input.outputs.back().requires_grad());
            CHECK_FALSE(input.teacher.defined());
            ++calls;
            auto [loss, gradient] = train::cross_entropy(input.outputs.back(), input.labels, 0);
            return LossResult{loss, {gradient}};
        };
        trainer.fit(custom, options);
        CHECK(calls == 10);
        CHECK(same_parameters(usual, custom));
    }

    TEST_CASE("fit: the teacher answers in evaluation mode and stays as it is") {
        train::TrainingData data = stripes();
        SUBCASE("remembered, pictures are not changed") {}
        SUBCASE("asked for every batch, pictures are changed") {
            data.augmentation = {1, true};
        }
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        const network::Network teacher = tiny_network(4);
        const network::Network before = teacher.clone();
        FitOptions options = options_of(1);
        options.teacher = &teacher;
        double largest = 0;
        options.loss = [&](const LossInput& input) {
            const at::Tensor expected = network::forward_with_exits(teacher, input.images).logits;
            largest = std::max(largest, (expected - input.teacher).abs().max().item<double>());
            const at::Tensor difference = input.outputs.back() - input.teacher;
            return LossResult{difference.square().mean(), {difference / 100}};
        };
        trainer.fit(net, options);
        CHECK(largest < 1e-5);
        CHECK(same_parameters(teacher, before));
        CHECK(is_plain(teacher));
    }

    TEST_CASE("fit: a loss that throws or returns nonsense leaves the network plain") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        FitOptions options = options_of(1);
        options.loss = [](const LossInput&) -> LossResult { throw Error("x/boom", "boom"); };
        CHECK(code_of([&] { trainer.fit(net, options); }) == "x/boom");
        CHECK(is_plain(net));
        options.loss = [](const LossInput&) { return LossResult{at::zeros({2}), {}}; };
        CHECK(code_of([&] { trainer.fit(net, options); }) == "train/bad-loss");
        CHECK(is_plain(net));
        CHECK(c10::GradMode::is_enabled());
    }

    TEST_CASE("fit: hooks see gradients then new values and may change both") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        const network::Network before = net.clone();
        FitOptions options = options_of(1);
        int backward_calls = 0;
        int step_calls = 0;
        options.after_backward = [&](network::Network& n, std::uint64_t step, std::uint64_t) {
            CHECK(step == static_cast<std::uint64_t>(backward_calls++));
            n.parameter("conv.weight").tensor.mutable_grad().zero_();
        };
        options.after_step = [&](network::Network& n, std::uint64_t, std::uint64_t steps) {
            CHECK(steps == 10);
            ++step_calls;
            n.set_parameter("linear.bias", at::full({3}, 0.25));  // as a new tensor
        };
        options.groups = {{"weight", "", 1.0, 0.0}};
        trainer.fit(net, options);
        CHECK(backward_calls == 10);
        CHECK(step_calls == 10);
        CHECK(
            at::equal(net.parameter("conv.weight").tensor, before.parameter("conv.weight").tensor));
        CHECK(at::equal(net.parameter("linear.bias").tensor, at::full({3}, 0.25)));
        CHECK(is_plain(net));
    }

    TEST_CASE("fit: a tensor replaced by a hook goes on being trained") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        FitOptions options = options_of(1);
        options.after_step = [](network::Network& n, std::uint64_t step, std::uint64_t) {
            if (step == 4) {
                n.set_parameter("linear.bias", at::full({3}, 10.0));
            }
        };
        trainer.fit(net, options);
        const at::Tensor bias = net.parameter("linear.bias").tensor;
        CHECK((bias - 10).abs().max().item<double>() < 2);
        CHECK_FALSE(at::equal(bias, at::full({3}, 10.0)));
    }

    TEST_CASE("fit: a hook that changes the structure is refused") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        FitOptions options = options_of(1);
        options.after_step = [](network::Network& n, std::uint64_t, std::uint64_t) {
            n.set_parameter("linear.bias", at::zeros({4}));
        };
        CHECK(code_of([&] { trainer.fit(net, options); }) == "train/structure-changed");
        CHECK(is_plain(net));
    }

    TEST_CASE("fit: fractions of epochs are counted in steps") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        const FitReport report = trainer.fit(net, options_of(1.25));
        CHECK(report.steps == 13);  // 12.5 of 10 a pass, rounded up
        REQUIRE(report.epochs.size() == 2);
        CHECK(report.epochs[0].epoch == doctest::Approx(1.0));
        CHECK(report.epochs[1].epoch == doctest::Approx(1.3));
        CHECK(trainer.fit(net, options_of(0.1)).steps == 1);
        CHECK(trainer.fit(net, options_of(0.0)).steps == 0);
        CHECK(code_of([&] { trainer.fit(net, options_of(-1)); }) == "train/bad-epochs");
    }

    TEST_CASE("fit: fewer samples than a batch are still trained on") {
        train::TrainingData data = stripes();
        data.train = data::subset(data.train, 12, 1);
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        CHECK(trainer.fit(net, options_of(2)).steps == 2);
    }

    TEST_CASE("fit: without samples it is refused") {
        train::TrainingData data = stripes();
        data.train = {data.train.images.slice(0, 0, 0), data.train.labels.slice(0, 0, 0)};
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        CHECK(code_of([&] { trainer.fit(net, options_of(1)); }) == "train/no-data");
    }

    TEST_CASE("fit: cancelled in the middle it is interrupted and the network plain") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        int asked = 0;
        trainer.set_cancelled([&] { return ++asked > 4; });
        CHECK(code_of([&] { trainer.fit(net, options_of(3)); }) == "run/interrupted");
        CHECK(asked == 5);
        CHECK(is_plain(net));
        CHECK(code_of([&] { static_cast<void>(trainer.evaluate(net, data.test)); }) ==
              "run/interrupted");
    }

    TEST_CASE("fit: a loss that is not finite ends the fit") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        net.parameter("linear.bias").tensor.fill_(std::numeric_limits<float>::quiet_NaN());
        CHECK(code_of([&] { trainer.fit(net, options_of(1)); }) == "train/diverged");
        CHECK(is_plain(net));
    }

    TEST_CASE("fit: progress ends at the last step and names the phase") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network net = tiny_network(3);
        std::vector<train::ProgressEvent> events;
        trainer.on_progress([&](const train::ProgressEvent& e) { events.push_back(e); });
        FitOptions options = options_of(7);
        options.phase = "warm";
        trainer.fit(net, options);
        REQUIRE(events.size() == 8);  // one at step 50 and seven ends of epochs
        CHECK(events.back().step == 70);
        CHECK(events.back().steps == 70);
        CHECK(events.back().epoch_end);
        CHECK(events.back().phase == "warm");
        CHECK(events.back().eta_seconds == doctest::Approx(0));
        CHECK(events.front().eta_seconds > 0);
    }

    TEST_CASE("fit: asking a teacher about all pictures is progress too, in its own time") {
        train::TrainingData data = stripes();
        data.augmentation = {0, true, 2};
        Trainer trainer = make_trainer(data);
        const network::Network teacher = tiny_network(4);
        network::Network net = tiny_network(3);
        std::vector<train::ProgressEvent> events;
        trainer.on_progress([&](const train::ProgressEvent& e) { events.push_back(e); });
        FitOptions options = options_of(2);
        options.teacher = &teacher;
        options.teacher_weight = 1;
        trainer.fit(net, options);
        REQUIRE(events.size() == 4);  // the ends of two passes and of two epochs
        for (const std::size_t pass : {0, 1}) {
            CHECK(events[pass].phase == "teacher");
            CHECK(events[pass].epoch_end);
            CHECK(events[pass].epoch == doctest::Approx(static_cast<double>(pass) + 1));
            CHECK(events[pass].epochs == 2);
            CHECK(events[pass].steps == 4);  // 256 pictures and the rest, twice
            CHECK(std::isnan(events[pass].loss));
        }
        CHECK(events[2].phase == options.phase);
        // A second fit with the same teacher asks nothing.
        trainer.fit(net, options);
        CHECK(events.size() == 6);
    }

    TEST_CASE("fit: the caller's gradient mode is kept and does not matter") {
        const train::TrainingData data = stripes();
        Trainer trainer = make_trainer(data);
        network::Network usual = tiny_network(3);
        network::Network guarded = tiny_network(3);
        trainer.fit(usual, options_of(1));
        {
            const c10::NoGradGuard no_gradients;
            trainer.fit(guarded, options_of(1));
            CHECK_FALSE(c10::GradMode::is_enabled());
        }
        CHECK(same_parameters(usual, guarded));
    }
}
