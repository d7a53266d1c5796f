// Tests of the losses of exit heads: gradients against autograd, and what teaches the body in joint
// training.
#include "early_exit/head_losses.hpp"

#include <topress/follow_original.hpp>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

using namespace topress;
using namespace topress::early_exit;

namespace {

constexpr double kTolerance = 1e-9;

DataInfo of_classes() {
    DataInfo data;
    data.classes = 5;
    return data;
}

DataInfo of_numbers() {
    DataInfo data;
    data.loss = TaskLoss::MeanAbsolute;
    return data;
}

/// Two heads and the main output.
LossInput answers(bool are_numbers) {
    at::manual_seed(7);
    LossInput input;
    for (int k = 0; k < 3; ++k) {
        input.outputs.push_back(at::randn({4, 5}, at::kDouble) * 2);
    }
    input.teacher = at::randn({4, 5}, at::kDouble) * 3;
    input.labels = are_numbers ? at::randn({4, 5}, at::kDouble) : at::arange(4);
    return input;
}

/// The same loss by LibTorch's own functions. Shape: head, final (N, C).
at::Tensor by_libtorch(const at::Tensor& head,
                       const at::Tensor& final,
                       const at::Tensor& labels,
                       const HeadLesson& lesson) {
    if (labels.is_floating_point()) {
        return at::mse_loss(head, final) + at::l1_loss(head, labels) * lesson.label_weight;
    }
    const double t = lesson.temperature;
    const at::Tensor told = at::kl_div((head / t).log_softmax(1),
                                       (final / t).log_softmax(1),
                                       at::Reduction::Sum,
                                       /*log_target=*/true);
    return told * (t * t / static_cast<double>(head.size(0))) +
           at::cross_entropy_loss(head, labels) * lesson.label_weight;
}

bool near(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>() < kTolerance;
}

}  // namespace

TEST_SUITE("early exit") {
    TEST_CASE("head losses: value and gradient are those of LibTorch's own functions") {
        const HeadLesson lesson{3.0, 0.5};
        for (const bool are_numbers : {false, true}) {
            CAPTURE(are_numbers);
            const LossInput input = answers(are_numbers);
            const Loss loss = heads_loss(lesson, are_numbers ? of_numbers() : of_classes(), input);
            REQUIRE(loss.gradients.size() == 3);
            CHECK_FALSE(loss.gradients.back().defined());
            const c10::AutoGradMode recording(true);
            at::Tensor wanted = at::zeros({}, at::kDouble);
            for (int k = 0; k < 2; ++k) {
                const at::Tensor head = input.outputs[k].detach().requires_grad_(true);
                const at::Tensor one =
                    by_libtorch(head, input.outputs.back(), input.labels, lesson);
                one.backward();
                wanted = wanted + one.detach();
                CHECK(near(loss.gradients[k], head.grad()));
            }
            CHECK(near(loss.value, wanted));
        }
    }

    TEST_CASE("joint loss: however many heads there are, together they weigh what they are told") {
        const HeadLesson lesson{2.0, 0.5};
        const LossInput input = answers(false);
        const Loss heads = heads_loss(lesson, of_classes(), input);
        const Loss joint = joint_loss(lesson, of_classes(), labels_alone(of_classes()), 0.3)(input);
        const at::Tensor hard = at::cross_entropy_loss(input.outputs.back(), input.labels);
        CHECK(near(joint.value, heads.value * (0.3 / 2) + hard));
        REQUIRE(joint.gradients.size() == 3);
        CHECK(near(joint.gradients[0], heads.gradients[0] * (0.3 / 2)));
        CHECK(near(joint.gradients[1], heads.gradients[1] * (0.3 / 2)));
        const at::Tensor wanted =
            (input.outputs.back().softmax(1) - at::one_hot(input.labels, 5)) / 4;
        CHECK(near(joint.gradients[2], wanted));
    }

    TEST_CASE("labels alone: numbers are held by the run's own loss") {
        const LossInput input = answers(true);
        const Loss loss = labels_alone(of_numbers())(input);
        const at::Tensor& output = input.outputs.front();
        CHECK(near(loss.value, at::l1_loss(output, input.labels)));
        CHECK(near(loss.gradients.front(), (output - input.labels).sign() / 20));
    }

    TEST_CASE("joint loss: the main output follows the original, the heads do not") {
        const Model nobody(nullptr);
        FitOptions options;
        follow_original(options, nobody, 9, TaskLoss::CrossEntropy);
        const HeadLesson lesson{2.0, 0.5};
        LossInput input = answers(false);
        const LossFunction joint = joint_loss(lesson, of_classes(), options.loss, 1.0);
        const Loss before = joint(input);
        LossInput alone = input;
        alone.outputs = {input.outputs.back()};
        CHECK(near(before.gradients[2], options.loss(alone).gradients.front()));
        input.teacher = input.teacher.neg();
        const Loss after = joint(input);
        CHECK_FALSE(near(after.gradients[2], before.gradients[2]));
        CHECK(near(after.gradients[0], before.gradients[0]));
    }
}
