// Tests training and evaluation where labels are numbers: train/tally.cpp, train/trainer.cpp.
#include "base/error.hpp"
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "train/tally.hpp"
#include "train/trainer.hpp"
#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>

using namespace topress;
using train::Evaluation;
using train::Trainer;
using train::test::tiny_network;

namespace {

const at::Device kCpu(at::kCPU);

// Three numbers for each picture of stripes, in the unit of the network: their kind as -1, 0, 1;
// the same reversed; one that pictures say nothing about.
train::TrainingData striped_numbers() {
    train::TrainingData data = train::test::stripes();
    data.classes.clear();
    data.targets = {"kind", "reversed", "noise"};
    data.normalisation.targets = {{10, 0, 0}, {5, 2, 1}};
    for (data::Samples* samples : {&data.train, &data.validation, &data.test}) {
        const at::Tensor kind = (samples->labels - 1).to(at::kFloat) * std::sqrt(1.5F);
        const at::Tensor noise = at::arange(samples->size(), at::kFloat).mul(12.9898F).sin();
        samples->labels = at::stack({kind, -kind, noise}, 1).contiguous();
    }
    return data;
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("regression: R2 and errors are those of all samples at once") {
        const train::TrainingData data = striped_numbers();
        Trainer trainer(data, train::test::defaults(), kCpu);
        const network::Network net = tiny_network(3);
        const Evaluation evaluation = trainer.evaluate(net, data.train);  // two batches
        data::BatchReader reader(data.train, data.normalisation, 300);
        const data::Batch batch = *reader.next();
        const at::Tensor output =
            network::forward_with_exits(net, batch.images).logits.to(at::kDouble);
        const at::Tensor labels = batch.labels.to(at::kDouble);
        const at::Tensor squared = (output - labels).square().mean(0);
        const at::Tensor variance = (labels - labels.mean(0, true)).square().mean(0);
        const double r2 = 1 - (squared / variance).mean().item<double>();
        CHECK(evaluation.samples == 300);
        CHECK(evaluation.accuracy == doctest::Approx(r2));
        CHECK(evaluation.loss == doctest::Approx(squared.mean().item<double>()));
        REQUIRE(evaluation.error_per_target.size() == 3);
        CHECK(evaluation.error_per_target[0] ==
              doctest::Approx(5 * std::sqrt(squared[0].item<double>())));
        CHECK(evaluation.error_per_target[1] ==
              doctest::Approx(2 * std::sqrt(squared[1].item<double>())));
        REQUIRE(evaluation.error);
        CHECK(*evaluation.error ==
              doctest::Approx((evaluation.error_per_target[0] + evaluation.error_per_target[1] +
                               evaluation.error_per_target[2]) /
                              3));
        CHECK(evaluation.accuracy_per_exit.at(0) == doctest::Approx(r2));
        CHECK(evaluation.error_per_exit.at(0) == doctest::Approx(*evaluation.error));
    }

    TEST_CASE("regression: a fit learns what pictures tell and no more") {
        const train::TrainingData data = striped_numbers();
        for (const char* loss : {"", "mae", "huber"}) {
            CAPTURE(loss);
            train::TrainingDefaults defaults = train::test::defaults();
            defaults.loss = loss;
            Trainer trainer(data, defaults, kCpu);
            network::Network net = tiny_network(3);
            train::FitOptions options;
            options.epochs = 12;
            const train::FitReport report = trainer.fit(net, options);
            const Evaluation evaluation = trainer.evaluate(net, data.test);
            CHECK(evaluation.error_per_target[0] < 0.4 * 5);  // 5 is what the mean would have
            CHECK(evaluation.error_per_target[1] < 0.4 * 2);
            CHECK(evaluation.error_per_target[2] > 0.5);
            CHECK(report.epochs.back().train_accuracy > report.epochs.front().train_accuracy);
            CHECK(report.epochs.back().train_accuracy < 1);
        }
    }

    TEST_CASE("regression: shares times the scores of the exits add up") {
        const train::TrainingData data = striped_numbers();
        Trainer trainer(data, train::test::defaults(), kCpu);
        network::Network net = tiny_network(3, true);
        data::BatchReader reader(data.test, data.normalisation, 60);
        const at::Tensor answers = network::forward(net, reader.next()->images, {}).at(0);
        const double middle =
            network::exit_criterion(answers, "max-probability").median().item<double>();
        net.set_exit("early", middle, 0);
        const Evaluation evaluation = trainer.evaluate(net, data.test);
        REQUIRE(evaluation.share.size() == 2);
        REQUIRE(evaluation.share[0] > 0);
        REQUIRE(evaluation.share[1] > 0);
        CHECK(evaluation.accuracy ==
              doctest::Approx(evaluation.share[0] * evaluation.accuracy_per_exit[0] +
                              evaluation.share[1] * evaluation.accuracy_per_exit[1]));
        net.set_exit("early", 0.0, 0);
        const Evaluation early = trainer.evaluate(net, data.test);
        CHECK(early.share[0] == 1);
        CHECK(std::isnan(early.accuracy_per_exit[1]));
        CHECK(std::isnan(early.error_per_exit[1]));
    }

    TEST_CASE("regression: without variance nothing can be explained, and errors are still told") {
        train::NumberTally tally(1, 1, kCpu);
        tally.add(at::tensor({1.0F, 3.0F}).view({2, 1}),
                  at::full({2, 1}, 2.0F),
                  at::zeros({2}, at::kLong));
        const Evaluation evaluation = tally.summary({{0}, {10}});
        CHECK(std::isnan(evaluation.accuracy));
        CHECK(*evaluation.error == doctest::Approx(10));
    }

    TEST_CASE("regression: no samples give no numbers out of thin air") {
        const train::TrainingData data = striped_numbers();
        Trainer trainer(data, train::test::defaults(), kCpu);
        const data::Samples none{data.test.images.slice(0, 0, 0), data.test.labels.slice(0, 0, 0)};
        const Evaluation evaluation = trainer.evaluate(tiny_network(3), none);
        CHECK(evaluation.samples == 0);
        CHECK(std::isnan(evaluation.accuracy));
        CHECK(std::isnan(*evaluation.error));
    }

    TEST_CASE("regression: a trainer refuses the loss of another task at once") {
        const train::TrainingData data = striped_numbers();
        train::TrainingDefaults defaults = train::test::defaults();
        SUBCASE("loss") {
            defaults.loss = "cross-entropy";
        }
        SUBCASE("label smoothing") {
            defaults.label_smoothing = 0.1;
        }
        try {
            const Trainer trainer(data, defaults, kCpu);
            FAIL("nothing was refused");
        } catch (const Error& error) {
            CHECK(error.code() == "train/loss-mismatch");
        }
    }
}
