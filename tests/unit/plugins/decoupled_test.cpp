// Tests distillation/decoupled.cpp: value and gradient against the definition and autograd, in
// double.
#include "distillation/decoupled.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

using namespace topress;
using distillation::Decoupling;

namespace {

/// The definition, sample by sample over probabilities.
at::Tensor by_definition(const at::Tensor& student,
                         const at::Tensor& teacher,
                         const at::Tensor& labels,
                         const Decoupling& how) {
    at::Tensor total = at::zeros({}, student.options().requires_grad(false));
    for (std::int64_t n = 0; n < student.size(0); ++n) {
        const auto label = labels[n].item<std::int64_t>();
        const at::Tensor p = (student[n] / how.temperature).softmax(0);
        const at::Tensor t = (teacher[n] / how.temperature).softmax(0);
        at::Tensor part = how.target_weight * t[label] * (t[label] / p[label]).log();
        part = part + how.target_weight * (1 - t[label]) * ((1 - t[label]) / (1 - p[label])).log();
        for (std::int64_t c = 0; c < student.size(1); ++c) {
            if (c != label) {
                const at::Tensor q_t = t[c] / (1 - t[label]);
                const at::Tensor q_p = p[c] / (1 - p[label]);
                part = part + how.other_weight * q_t * (q_t / q_p).log();
            }
        }
        total = total + how.temperature * how.temperature * part -
                how.label_weight * student[n].log_softmax(0)[label];
    }
    return total / student.size(0);
}

}  // namespace

TEST_SUITE("distillation") {
    TEST_CASE("decoupled: value and gradient are those of the definition") {
        at::manual_seed(3);
        for (const std::int64_t classes : {2, 3, 10}) {
            for (const Decoupling& how : {Decoupling{},
                                          Decoupling{1, 0, 0, 1},
                                          Decoupling{0, 1, 0, 2},
                                          Decoupling{0.5, 2, 1, 3}}) {
                CAPTURE(classes);
                const at::Tensor student =
                    (at::randn({6, classes}, at::kDouble) * 3).set_requires_grad(true);
                const at::Tensor teacher = at::randn({6, classes}, at::kDouble) * 3;
                const at::Tensor labels = at::randint(0, classes, {6}, at::kLong);
                const at::Tensor expected = by_definition(student, teacher, labels, how);
                expected.backward();
                const Loss loss =
                    distillation::decoupled_loss(student.detach(), teacher, labels, how);
                CHECK(loss.value.item<double>() == doctest::Approx(expected.item<double>()));
                REQUIRE(loss.gradients.size() == 1);
                CHECK((loss.gradients[0] - student.grad()).abs().max().item<double>() < 1e-9);
            }
        }
    }

    TEST_CASE("decoupled: a student that says what the teacher says learns from the labels alone") {
        const at::Tensor logits = at::randn({4, 5}, at::kDouble);
        const at::Tensor labels = at::arange(4);
        const Loss loss = distillation::decoupled_loss(logits, logits, labels, {1, 8, 0, 4});
        CHECK(loss.value.item<double>() == doctest::Approx(0).epsilon(1e-12));
        CHECK(loss.gradients[0].abs().max().item<double>() < 1e-12);
    }

    TEST_CASE("decoupled: sure logits stay finite") {
        const at::Tensor student = at::tensor({80.0F, -80.0F, 0.0F}).view({1, 3});
        const at::Tensor teacher = at::tensor({-80.0F, 80.0F, 0.0F}).view({1, 3});
        const at::Tensor label = at::zeros({1}, at::kLong);
        const Loss loss = distillation::decoupled_loss(student, teacher, label, {});
        CHECK(loss.value.isfinite().item<bool>());
        CHECK(loss.gradients[0].isfinite().all().item<bool>());
    }
}
