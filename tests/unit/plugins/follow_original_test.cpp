// Tests topress/follow_original.hpp: the same loss and gradient as the kernel of the distillation
// plugin, whose reference they are compared with.
#include "distillation/kernels/kd_loss.hpp"

#include <topress/follow_original.hpp>

#include <doctest/doctest.h>

using namespace topress;

namespace {

/// The reference in double. Shape: as in KdLossInputs.
Loss by_kernel(const at::Tensor& student,
               const at::Tensor& teacher,
               const at::Tensor& labels,
               double weight) {
    distillation::KdLossParameters parameters;
    parameters.cross_entropy_weight = 1;
    parameters.distillation_weight = static_cast<float>(weight);
    parameters.temperature = 2;
    parameters.standardise = true;
    at::Tensor loss = at::empty({}, student.options());
    at::Tensor each = at::empty({student.size(0)}, student.options());
    at::Tensor gradient = at::empty_like(student);
    distillation::kd_loss_cpu<double>({student.const_data_ptr<double>(),
                                       teacher.const_data_ptr<double>(),
                                       labels.const_data_ptr<std::int64_t>(),
                                       student.size(0),
                                       student.size(1)},
                                      parameters,
                                      {loss.mutable_data_ptr<double>(),
                                       each.mutable_data_ptr<double>(),
                                       gradient.mutable_data_ptr<double>()});
    return {loss, {gradient}};
}

}  // namespace

TEST_SUITE("distillation") {
    TEST_CASE("following the original: the loss is that of the distillation kernel") {
        at::manual_seed(2);
        Model nobody(nullptr);
        for (const double weight : {0.5, 9.0}) {
            FitOptions options;
            follow_original(options, nobody, weight, TaskLoss::CrossEntropy);
            CHECK(options.teacher == &nobody);
            LossInput input;
            input.outputs = {at::randn({6, 10}, at::kDouble) * 3, at::randn({6, 10}, at::kDouble)};
            input.teacher = at::randn({6, 10}, at::kDouble) * 4;
            input.teacher[2].fill_(1.5);  // constant: has no z-scores
            input.labels = at::arange(6);
            const Loss loss = options.loss(input);
            const Loss first = by_kernel(input.outputs[0], input.teacher, input.labels, weight);
            const Loss second = by_kernel(input.outputs[1], input.teacher, input.labels, weight);
            CHECK(loss.value.item<double>() ==
                  doctest::Approx((first.value + second.value).item<double>() / 2));
            REQUIRE(loss.gradients.size() == 2);
            CHECK((loss.gradients[0] - first.gradients[0] / 2).abs().max().item<double>() < 1e-9);
            CHECK((loss.gradients[1] - second.gradients[0] / 2).abs().max().item<double>() < 1e-9);
        }
    }

    TEST_CASE(
        "following the original: numbers are followed by their squared distance beside the loss of "
        "the run") {
        Model nobody(nullptr);
        FitOptions options;
        follow_original(options, nobody, 3, TaskLoss::MeanSquared);
        LossInput input;
        input.outputs = {at::full({2, 1}, 1.0, at::kDouble)};
        input.teacher = at::full({2, 1}, 2.0, at::kDouble);
        input.labels = at::full({2, 1}, 4.0, at::kDouble);
        const Loss loss = options.loss(input);
        CHECK(loss.value.item<double>() == doctest::Approx(9 + 3));
        CHECK(loss.gradients[0].sum().item<double>() == doctest::Approx(2 * -3 + 3 * 2 * -1));
    }

    TEST_CASE("following the original: without a weight nothing changes") {
        Model nobody(nullptr);
        FitOptions options;
        follow_original(options, nobody, 0, TaskLoss::CrossEntropy);
        CHECK(options.teacher == nullptr);
        CHECK_FALSE(options.loss);
    }
}
