// Tests train/optimizer.cpp against the formulas, step by step in double precision.
#include "train/optimizer.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace topress;
using train::Optimizer;
using train::OptimizerKind;

namespace {

constexpr double kTolerance = 1e-6;

at::Tensor vector_of(std::vector<float> values) {
    return at::tensor(values, at::kFloat);
}

void set_gradient(at::Tensor& parameter, const at::Tensor& gradient) {
    parameter.mutable_grad() = gradient;
}

double value(const at::Tensor& tensor, std::int64_t index) {
    return tensor.flatten()[index].item<double>();
}

}  // namespace

TEST_SUITE("train") {
    TEST_CASE("optimizer: sgd with Nesterov momentum and decay as computed by hand") {
        at::Tensor w = vector_of({1.0F, -2.0F});
        Optimizer optimizer(OptimizerKind::Sgd, 0.9, {{{w}, 0.5, 0.01}});
        std::vector<double> expected = {1.0, -2.0};
        std::vector<double> velocity = {0, 0};
        for (int step = 0; step < 4; ++step) {
            const std::vector<double> gradient = {0.3 + step, -0.7 * step + 0.2};
            set_gradient(
                w, vector_of({static_cast<float>(gradient[0]), static_cast<float>(gradient[1])}));
            optimizer.step(0.2);
            for (std::size_t i = 0; i < 2; ++i) {
                const double g = gradient[i] + 0.01 * expected[i];
                velocity[i] = 0.9 * velocity[i] + g;
                expected[i] -= 0.2 * 0.5 * (g + 0.9 * velocity[i]);
            }
        }
        CHECK(std::abs(value(w, 0) - expected[0]) < kTolerance);
        CHECK(std::abs(value(w, 1) - expected[1]) < kTolerance);
    }

    TEST_CASE("optimizer: sgd without momentum is a plain step") {
        at::Tensor w = vector_of({1.0F});
        Optimizer optimizer(OptimizerKind::Sgd, 0, {{{w}, 1.0, 0.0}});
        for (int step = 0; step < 2; ++step) {
            set_gradient(w, vector_of({0.5F}));
            optimizer.step(0.1);
        }
        CHECK(value(w, 0) == doctest::Approx(0.9));
    }

    TEST_CASE("optimizer: adamw as computed by hand") {
        at::Tensor w = vector_of({1.0F});
        Optimizer optimizer(OptimizerKind::AdamW, 0.9, {{{w}, 1.0, 0.1}});
        double expected = 1.0;
        double m = 0;
        double v = 0;
        for (int step = 1; step <= 5; ++step) {
            const double gradient = 0.4 * step - 1.1;
            set_gradient(w, vector_of({static_cast<float>(gradient)}));
            optimizer.step(0.01);
            expected *= 1 - 0.01 * 0.1;
            m = 0.9 * m + 0.1 * gradient;
            v = 0.999 * v + 0.001 * gradient * gradient;
            const double corrected = m / (1 - std::pow(0.9, step));
            const double root = std::sqrt(v / (1 - std::pow(0.999, step)));
            expected -= 0.01 * corrected / (root + 1e-8);
        }
        CHECK(std::abs(value(w, 0) - expected) < kTolerance);
    }

    TEST_CASE("optimizer: layouts of parameter and gradient do not matter") {
        for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::AdamW}) {
            const at::Tensor start = at::arange(48, at::kFloat).view({2, 3, 4, 2}) / 10;
            const at::Tensor gradient = at::cos(start);
            at::Tensor plain = start.clone();
            at::Tensor last = start.clone(at::MemoryFormat::ChannelsLast);
            Optimizer first(kind, 0.9, {{{plain}, 1.0, 0.01}});
            Optimizer second(kind, 0.9, {{{last}, 1.0, 0.01}});
            for (int step = 0; step < 3; ++step) {
                set_gradient(plain, gradient.clone());
                set_gradient(last, gradient.clone());  // contiguous: not as the parameter is
                first.step(0.1);
                second.step(0.1);
            }
            CHECK(at::allclose(plain, last, 0, 1e-7));
            CHECK_FALSE(at::allclose(plain, start, 0, 1e-3));
        }
    }

    TEST_CASE("optimizer: a parameter without a gradient is left alone and joins later") {
        at::Tensor a = vector_of({1.0F});
        at::Tensor b = vector_of({1.0F});
        Optimizer optimizer(OptimizerKind::Sgd, 0.9, {{{a, b}, 1.0, 0.0}});
        set_gradient(a, vector_of({1.0F}));
        optimizer.step(0.1);
        CHECK(value(b, 0) == 1.0);
        set_gradient(b, vector_of({1.0F}));
        optimizer.step(0.1);
        CHECK(value(b, 0) == doctest::Approx(1.0 - 0.1 * 1.9));
    }

    TEST_CASE("optimizer: gradients are released") {
        at::Tensor a = vector_of({1.0F});
        set_gradient(a, vector_of({1.0F}));
        Optimizer optimizer(OptimizerKind::Sgd, 0, {{{a}, 1.0, 0.0}});
        optimizer.clear_gradients();
        CHECK_FALSE(a.grad().defined());
    }

    TEST_CASE("optimizer: an unknown name is refused with the nearest") {
        CHECK(train::parse_optimizer("sgd") == OptimizerKind::Sgd);
        CHECK(train::parse_optimizer("adamw") == OptimizerKind::AdamW);
        try {
            static_cast<void>(train::parse_optimizer("adam"));
            FAIL("accepted");
        } catch (const Error& error) {
            CHECK(error.code() == "train/unknown-optimizer");
            CHECK(error.hint() == "did you mean 'adamw'?");
        }
    }
}
