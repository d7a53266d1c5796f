// Tests distillation/hints.cpp: the distance against its definition and autograd, in double.
#include "distillation/hints.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

using namespace topress;

TEST_SUITE("distillation") {
    TEST_CASE("hints: the distance is that of directions and its gradient that of autograd") {
        at::manual_seed(5);
        const at::Tensor value = at::randn({4, 7}, at::kDouble).set_requires_grad(true);
        const at::Tensor target = at::randn({4, 7}, at::kDouble);
        const at::Tensor apart =
            value / value.norm(2, {1}, true) - target / target.norm(2, {1}, true);
        const at::Tensor expected = apart.square().sum() / 4;
        expected.backward();
        const Loss loss = distillation::hint_loss(value.detach(), target);
        CHECK(loss.value.item<double>() == doctest::Approx(expected.item<double>()));
        REQUIRE(loss.gradients.size() == 1);
        CHECK((loss.gradients[0] - value.grad()).abs().max().item<double>() < 1e-12);
        // Only the direction counts, and the same direction is no distance.
        CHECK(distillation::hint_loss(target * 3, target).value.item<double>() ==
              doctest::Approx(0).epsilon(1e-12));
    }
}
