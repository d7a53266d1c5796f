// Tests train/loss.cpp: value and gradient against ATen and finite differences, checks of foreign
// losses.
#include "train/loss.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>

using namespace topress;
using train::cross_entropy;
using train::LossResult;

namespace {

at::Tensor sample_logits(at::ScalarType type = at::kFloat) {
    return (at::remainder(at::arange(20, at::kDouble) * 7.3, 5.0) - 2.5).view({4, 5}).to(type);
}

at::Tensor sample_labels() {
    return at::tensor({0, 4, 2, 2}, at::kLong);
}

/// Central differences of a scalar `loss` at every element, in double.
template <typename Function>
void check_gradient(const Function& loss, const at::Tensor& point, const at::Tensor& gradient) {
    constexpr double kStep = 1e-6;
    for (std::int64_t i = 0; i < point.numel(); ++i) {
        at::Tensor up = point.clone();
        at::Tensor down = point.clone();
        up.view(-1)[i] += kStep;
        down.view(-1)[i] -= kStep;
        const double slope = (loss(up) - loss(down)).template item<double>() / (2 * kStep);
        CHECK(gradient.view(-1)[i].item<double>() == doctest::Approx(slope).epsilon(1e-5));
    }
}

std::string refusal(const LossResult& result, const std::vector<at::Tensor>& outputs) {
    try {
        train::check_loss(result, outputs);
    } catch (const Error& error) {
        return error.code();
    }
    return "";
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("loss: cross entropy agrees with ATen") {
        for (const double smoothing : {0.0, 0.1, 0.5}) {
            CAPTURE(smoothing);
            const auto [loss, gradient] =
                cross_entropy(sample_logits(), sample_labels(), smoothing);
            const at::Tensor reference = at::cross_entropy_loss(
                sample_logits(), sample_labels(), {}, at::Reduction::Mean, -100, smoothing);
            CHECK(at::allclose(loss, reference, 1e-6, 1e-6));
            CHECK(loss.dim() == 0);
        }
    }

    TEST_CASE("loss: the gradient of cross entropy agrees with finite differences") {
        for (const double smoothing : {0.0, 0.1}) {
            CAPTURE(smoothing);
            const at::Tensor logits = sample_logits(at::kDouble);
            const at::Tensor gradient = cross_entropy(logits, sample_labels(), smoothing).gradient;
            check_gradient(
                [&](const at::Tensor& x) {
                    return cross_entropy(x, sample_labels(), smoothing).loss;
                },
                logits,
                gradient);
        }
    }

    TEST_CASE("loss: the default is the mean over all outputs") {
        const std::vector<at::Tensor> outputs = {sample_logits(), sample_logits() * 2};
        const at::Tensor none;
        const at::Tensor labels = sample_labels();
        const LossResult result =
            train::default_loss({outputs, none, labels, none, 0, 1}, TaskLoss::CrossEntropy, 0.1);
        const auto first = cross_entropy(outputs[0], labels, 0.1);
        const auto second = cross_entropy(outputs[1], labels, 0.1);
        CHECK(at::allclose(result.loss, (first.loss + second.loss) / 2));
        CHECK(at::allclose(result.gradients.at(0), first.gradient / 2));
        CHECK(at::allclose(result.gradients.at(1), second.gradient / 2));
    }

    TEST_CASE(
        "loss: following a teacher adds its distance, with the gradient of finite differences") {
        const at::Tensor teacher = sample_logits(at::kDouble).flip({1}) * 2 + 1;
        const at::Tensor labels = sample_labels();
        const at::Tensor images;
        const auto followed = [&](const at::Tensor& logits) {
            const std::vector<at::Tensor> outputs{logits, logits * 0.5};
            const train::LossInput input{outputs, teacher, labels, images, 0, 1};
            LossResult result = train::default_loss(input, TaskLoss::CrossEntropy, 0.1);
            const at::Tensor before = result.loss.clone();
            train::follow_teacher(result, input, 3);
            CHECK(result.loss.item<double>() > before.item<double>());
            return result;
        };
        const at::Tensor logits = sample_logits(at::kDouble);
        const LossResult result = followed(logits);
        const at::Tensor gradient = result.gradients[0] + result.gradients[1] * 0.5;
        check_gradient([&](const at::Tensor& x) { return followed(x).loss; }, logits, gradient);
    }

    TEST_CASE(
        "loss: a teacher that says the same adds nothing, nor does a row without a direction") {
        const at::Tensor teacher = sample_logits() * 3 + 1;  // the same scores
        const std::vector<at::Tensor> outputs{sample_logits()};
        const at::Tensor images;
        const train::LossInput same{outputs, teacher, sample_labels(), images, 0, 1};
        LossResult result{at::zeros({}), {at::zeros_like(outputs[0])}};
        train::follow_teacher(result, same, 9);
        CHECK(result.loss.item<double>() == doctest::Approx(0).epsilon(1e-6));
        CHECK(result.gradients[0].abs().max().item<double>() < 1e-6);
        const std::vector<at::Tensor> flat{at::ones({4, 5})};
        const train::LossInput constant{flat, teacher, sample_labels(), images, 0, 1};
        result = {at::zeros({}), {at::zeros_like(flat[0])}};
        train::follow_teacher(result, constant, 9);
        CHECK(std::isfinite(result.loss.item<double>()));
        CHECK(result.gradients[0].abs().max().item<double>() == 0);
    }

    TEST_CASE("loss: what a foreign loss returns is checked") {
        const std::vector<at::Tensor> outputs = {sample_logits()};
        CHECK(refusal({at::zeros({}), {at::zeros({4, 5})}}, outputs).empty());
        CHECK(refusal({at::zeros({1}), {at::Tensor()}}, outputs).empty());
        CHECK(refusal({at::zeros({}), {}}, outputs).empty());
        CHECK(refusal({at::Tensor(), {}}, outputs) == "train/bad-loss");
        CHECK(refusal({at::zeros({4}), {}}, outputs) == "train/bad-loss");
        CHECK(refusal({at::zeros({}), {at::zeros({5, 4})}}, outputs) == "train/bad-loss");
        CHECK(refusal({at::zeros({}), {at::Tensor(), at::Tensor()}}, outputs) == "train/bad-loss");
    }

    TEST_CASE("loss: numbers agree with ATen, and their gradients with finite differences") {
        const at::Tensor output =
            at::tensor({0.2, -3.0, 0.9, 1.5, -0.4, 0.1}, at::kDouble).view({3, 2});
        const at::Tensor target =
            at::tensor({0.0, 0.0, 0.5, 4.0, -0.4001, 0.6}, at::kDouble).view({3, 2});
        const std::vector<std::pair<TaskLoss, at::Tensor>> references = {
            {TaskLoss::MeanSquared, at::mse_loss(output, target)},
            {TaskLoss::MeanAbsolute, at::l1_loss(output, target)},
            {TaskLoss::Huber, at::huber_loss(output, target)}};
        for (const auto& [loss, reference] : references) {
            CAPTURE(static_cast<int>(loss));
            const auto found = train::task_loss(output, target, loss, 0);
            CHECK(at::allclose(found.loss, reference, 1e-12, 1e-12));
            CHECK(found.loss.dim() == 0);
            check_gradient(
                [&](const at::Tensor& x) { return train::task_loss(x, target, loss, 0).loss; },
                output,
                found.gradient);
        }
    }

    TEST_CASE(
        "loss: the task decides unless a loss is named, and a loss of another task is refused") {
        train::TrainingData classes;
        classes.classes = {"a", "b", "c"};
        train::TrainingData numbers;
        numbers.targets = {"angle"};
        CHECK((train::choose_loss("", classes) == TaskLoss::CrossEntropy));
        CHECK((train::choose_loss("", numbers) == TaskLoss::MeanSquared));
        CHECK((train::choose_loss("mae", numbers) == TaskLoss::MeanAbsolute));
        CHECK((train::choose_loss("huber", numbers) == TaskLoss::Huber));
        const auto refuse = [](const std::string& name, const train::TrainingData& data) {
            try {
                static_cast<void>(train::choose_loss(name, data));
                train::refuse_smoothing(0.1, data);
            } catch (const Error& error) {
                return error.code() + ": " + error.what();
            }
            return std::string();
        };
        CHECK(refuse("mse", classes) ==
              "train/loss-mismatch: the loss 'mse' is one of numbers, but the data set has 3 "
              "classes");
        CHECK(
            refuse("cross-entropy", numbers) ==
            "train/loss-mismatch: the loss 'cross-entropy' is one of classes, but the data set has "
            "numbers to predict (angle)");
        CHECK(refuse("mse", numbers).starts_with("train/loss-mismatch: label smoothing"));
        CHECK(refuse("l7", classes).starts_with("train/unknown-loss"));
        CHECK(refuse("cross-entropy", classes).empty());
    }
}
