// Tests train/evaluate.cpp and train/statistics.cpp on a tiny network with an exit.
#include "network/element_type.hpp"
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "train/loss.hpp"
#include "train/trainer.hpp"
#include "unit/train/tiny.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace topress;
using train::Evaluation;
using train::Trainer;
using train::test::stripes;
using train::test::tiny_network;

namespace {

const at::Device kCpu(at::kCPU);

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("evaluate: accuracy and loss are those of all samples at once") {
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        const network::Network net = tiny_network(3);
        const Evaluation evaluation = trainer.evaluate(net, data.train);  // two batches
        data::BatchReader reader(data.train, data.normalisation, 300);
        const data::Batch batch = *reader.next();
        const at::Tensor logits = network::forward_with_exits(net, batch.images).logits;
        const double accuracy =
            logits.argmax(1).eq(batch.labels).to(at::kDouble).mean().item<double>();
        CHECK(evaluation.samples == 300);
        CHECK(evaluation.accuracy == doctest::Approx(accuracy));
        CHECK(evaluation.loss ==
              doctest::Approx(train::cross_entropy(logits, batch.labels, 0).loss.item<double>()));
        CHECK(evaluation.share == std::vector<double>{1.0});
        CHECK(evaluation.accuracy_per_exit.at(0) == doctest::Approx(accuracy));
    }

    TEST_CASE("evaluate: shares of the exits sum to 1 and follow the threshold") {
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        network::Network net = tiny_network(3, true);
        train::FitOptions options;
        options.epochs = 1;
        trainer.fit(net, options);
        data::BatchReader reader(data.test, data.normalisation, 60);
        const at::Tensor early = network::forward(net, reader.next()->images, {}).at(0);
        const double middle =
            network::exit_criterion(early, "max-probability").median().item<double>();
        for (const double threshold : {0.0, middle, 1.1}) {
            CAPTURE(threshold);
            net.set_exit("early", threshold, 0);
            const Evaluation evaluation = trainer.evaluate(net, data.test);
            REQUIRE(evaluation.share.size() == 2);
            CHECK(evaluation.share[0] + evaluation.share[1] == doctest::Approx(1.0));
            if (threshold == 0.0) {
                CHECK(evaluation.share[0] == 1.0);
                CHECK(std::isnan(evaluation.accuracy_per_exit[1]));
            } else if (threshold == middle) {
                CHECK(evaluation.share[0] == doctest::Approx(0.5).epsilon(0.05));
                CHECK(evaluation.accuracy ==
                      doctest::Approx(evaluation.share[0] * evaluation.accuracy_per_exit[0] +
                                      evaluation.share[1] * evaluation.accuracy_per_exit[1]));
            } else {
                CHECK(evaluation.share[1] == 1.0);
            }
        }
    }

    TEST_CASE("evaluate: a listener hears every answer, in the order of the split") {
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        const network::Network net = tiny_network(3);
        std::vector<at::Tensor> output;
        std::vector<at::Tensor> place;
        std::vector<at::Tensor> labels;
        const Evaluation evaluation =
            trainer.evaluate(net, data.train, [&](const train::Answers& answers) {
                output.push_back(answers.output);
                place.push_back(answers.place);
                labels.push_back(answers.labels);
            });
        CHECK(output.size() == 2);  // batches
        CHECK(at::equal(at::cat(labels), data.train.labels));
        CHECK(at::equal(at::cat(place), at::zeros({300}, at::kLong)));
        const double right =
            at::cat(output).argmax(1).eq(data.train.labels).to(at::kDouble).mean().item<double>();
        CHECK(right == doctest::Approx(evaluation.accuracy));
    }

    TEST_CASE("evaluate: a network whose numbers are double answers in double, folded or not") {
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        network::Network net = tiny_network(3);
        const Evaluation in_float = trainer.evaluate(net, data.test);
        network::set_element_type(net, at::kDouble);
        std::vector<at::Tensor> output;
        const Evaluation in_double =
            trainer.evaluate(net, data.test, [&](const train::Answers& answers) {
                output.push_back(answers.output);
            });
        data::BatchReader reader(data.test, data.normalisation, 60);
        const at::Tensor images = reader.next()->images.to(at::kDouble);
        const at::Tensor unfolded = network::forward(net, images, {}).back();
        CHECK((at::cat(output) - unfolded).abs().max().item<double>() < 1e-12);
        CHECK(in_double.accuracy == doctest::Approx(in_float.accuracy).epsilon(0.02));
        CHECK(in_double.loss == doctest::Approx(in_float.loss).epsilon(1e-4));
    }

    TEST_CASE("evaluate: no samples give no numbers out of thin air") {
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        const data::Samples none{data.test.images.slice(0, 0, 0), data.test.labels.slice(0, 0, 0)};
        const Evaluation evaluation = trainer.evaluate(tiny_network(3), none);
        CHECK(evaluation.samples == 0);
        CHECK(std::isnan(evaluation.accuracy));
        CHECK(std::isnan(evaluation.loss));
    }

    TEST_CASE("statistics: become the mean over the batches and nothing else changes") {
        train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        network::Network net = tiny_network(3);
        const network::Network before = net.clone();
        trainer.update_statistics(net, 10, 1);  // 10 batches of 30: every sample once
        data::BatchReader reader(data.train, data.normalisation, 300);
        const at::Tensor maps = network::observe(before, reader.next()->images, {"c"}).at(0);
        CHECK(at::allclose(net.parameter("bn.mean").tensor, maps.mean({0, 2, 3}), 1e-4, 1e-5));
        CHECK(at::allclose(net.parameter("bn.variance").tensor,
                           maps.var({0, 2, 3}, /*unbiased=*/false),
                           0.02,
                           1e-3));
        CHECK(
            at::equal(net.parameter("conv.weight").tensor, before.parameter("conv.weight").tensor));
        CHECK(at::equal(net.parameter("bn.gamma").tensor, before.parameter("bn.gamma").tensor));
    }

    TEST_CASE("statistics: more batches than one pass has are read from further passes") {
        const train::TrainingData data = stripes();
        Trainer trainer(data, train::test::defaults(), kCpu);
        network::Network first = tiny_network(3);
        network::Network second = tiny_network(3);
        trainer.update_statistics(first, 15, 1);
        trainer.update_statistics(second, 15, 2);
        CHECK(at::allclose(
            first.parameter("bn.mean").tensor, second.parameter("bn.mean").tensor, 0.1, 0.05));
        CHECK_FALSE(
            at::equal(first.parameter("bn.mean").tensor, second.parameter("bn.mean").tensor));
    }
}
