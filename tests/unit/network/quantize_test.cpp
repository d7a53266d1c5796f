// The quantize operator: values, the LSQ gradient by its formula, and replaceable implementations.
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "unit/network/networks.hpp"

#include <cmath>

using namespace topress;
using network::Node;
using network::RunMode;
using test::Network;
using test::random_tensor;
using test::Role;

namespace {

Node quantize_node(std::int64_t bits, bool is_signed, std::int64_t axis) {
    return {"q", "quantize", {}, {"y"}, {{"bits", bits}, {"signed", is_signed}, {"axis", axis}}};
}

at::Tensor run(const Node& node,
               const at::Tensor& x,
               const at::Tensor& scale,
               const RunMode& mode = {}) {
    return network::operator_named("quantize").forward(node, {x, scale}, mode).at(0);
}

/// What the operator must give for one number.
double expected_value(double x, double scale, const network::QuantizeRange& range) {
    const double level = std::nearbyint(x / scale);
    return std::min(std::max(level, static_cast<double>(range.low)),
                    static_cast<double>(range.high)) *
           scale;
}

/// Esser et al. 2020, equation 3, both ends of the range included.
double expected_slope(double x, double scale, const network::QuantizeRange& range) {
    const double v = x / scale;
    if (v < static_cast<double>(range.low)) {
        return static_cast<double>(range.low);
    }
    return v > static_cast<double>(range.high) ? static_cast<double>(range.high)
                                               : std::nearbyint(v) - v;
}

bool is_inside(double x, double scale, const network::QuantizeRange& range) {
    return x / scale >= static_cast<double>(range.low) &&
           x / scale <= static_cast<double>(range.high);
}

/// Restores the built-in when a test ends.
struct ImplementationGuard {
    ~ImplementationGuard() { network::set_quantize_implementation({}); }
};

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("quantize: the range follows bits and sign") {
        CHECK(network::quantize_range(quantize_node(4, true, -1)).low == -8);
        CHECK(network::quantize_range(quantize_node(4, true, -1)).high == 7);
        CHECK(network::quantize_range(quantize_node(4, false, -1)).low == 0);
        CHECK(network::quantize_range(quantize_node(8, false, -1)).high == 255);
    }

    TEST_CASE("quantize: halves are rounded to even and values clamped") {
        const auto x = at::tensor({0.5, 1.5, 2.5, -0.5, -1.5, 100.0, -100.0}, at::kDouble);
        const auto y = run(quantize_node(4, true, -1), x, at::ones({1}, at::kDouble));
        CHECK(y.equal(at::tensor({0.0, 2.0, 2.0, 0.0, -2.0, 7.0, -8.0}, at::kDouble)));
        const auto positive = run(quantize_node(2, false, -1), x, at::ones({1}, at::kDouble));
        CHECK(positive.equal(at::tensor({0.0, 2.0, 2.0, 0.0, 0.0, 3.0, 0.0}, at::kDouble)));
    }

    TEST_CASE("quantize: one scale for each index of the axis") {
        const auto x = random_tensor({3, 4, 2, 2}, 1).to(at::kDouble);
        const auto scale = at::tensor({0.1, 0.3, 0.05}, at::kDouble);
        const auto node = quantize_node(4, true, 0);
        const auto y = run(node, x, scale);
        for (std::int64_t row = 0; row < 3; ++row) {
            const double s = scale[row].item<double>();
            for (std::int64_t i = 0; i < 16; ++i) {
                const double value = x[row].flatten()[i].item<double>();
                CHECK(y[row].flatten()[i].item<double>() ==
                      doctest::Approx(expected_value(value, s, network::quantize_range(node))));
            }
        }
    }

    TEST_CASE("quantize: the gradient follows the formula") {
        for (const bool is_signed : {true, false}) {
            const auto node = quantize_node(3, is_signed, -1);
            const auto range = network::quantize_range(node);
            const auto x = random_tensor({2, 9}, 5).to(at::kDouble).set_requires_grad(true);
            const auto scale = at::full({1}, 0.2, at::kDouble).set_requires_grad(true);
            const auto weights = random_tensor({2, 9}, 6).to(at::kDouble);
            (run(node, x, scale, {true, true, 0.1, false}) * weights).sum().backward();
            // Activation: 9 elements a sample share the scale.
            const double factor = 1.0 / std::sqrt(9.0 * static_cast<double>(range.high));
            double slope = 0;
            for (std::int64_t i = 0; i < 18; ++i) {
                const double value = x.detach().flatten()[i].item<double>();
                const double weight = weights.flatten()[i].item<double>();
                slope += weight * expected_slope(value, 0.2, range);
                CHECK(x.grad().flatten()[i].item<double>() ==
                      doctest::Approx(is_inside(value, 0.2, range) ? weight : 0.0));
            }
            CHECK(scale.grad().item<double>() == doctest::Approx(slope * factor));
        }
    }

    TEST_CASE("quantize: the scale gradient of weights is per channel and counts all elements") {
        const auto node = quantize_node(4, true, 0);
        const auto range = network::quantize_range(node);
        const auto x = random_tensor({3, 8}, 7).to(at::kDouble).set_requires_grad(true);
        const auto scale = at::tensor({0.1, 0.2, 0.4}, at::kDouble).set_requires_grad(true);
        RunMode mode{true, true, 0.1, true};
        run(node, x, scale, mode).sum().backward();
        const double factor = 1.0 / std::sqrt(8.0 * 7.0);
        for (std::int64_t row = 0; row < 3; ++row) {
            double slope = 0;
            for (std::int64_t i = 0; i < 8; ++i) {
                slope += expected_slope(
                    x.detach()[row][i].item<double>(), scale.detach()[row].item<double>(), range);
            }
            CHECK(scale.grad()[row].item<double>() == doctest::Approx(slope * factor));
        }
    }

    TEST_CASE("quantize: zero and the highest level still pass a gradient") {
        const auto x = at::tensor({0.0, 3.0, 3.1, -0.1}, at::kDouble).set_requires_grad(true);
        const auto scale = at::ones({1}, at::kDouble);
        run(quantize_node(2, false, -1), x, scale, {true, true, 0.1, true}).sum().backward();
        CHECK(x.grad().equal(at::tensor({1.0, 1.0, 0.0, 0.0}, at::kDouble)));
    }

    TEST_CASE("quantize: a replaced implementation is used forward and backward") {
        const ImplementationGuard guard;
        int forward_calls = 0;
        int backward_calls = 0;
        network::QuantizeImplementation counting;
        counting.forward = [&](const at::Tensor& x,
                               const at::Tensor& scale,
                               std::int64_t low,
                               std::int64_t high,
                               std::int64_t axis) {
            ++forward_calls;
            return network::builtin_quantize().forward(x, scale, low, high, axis);
        };
        counting.backward = [&](const at::Tensor& grad,
                                const at::Tensor& x,
                                const at::Tensor& scale,
                                std::int64_t low,
                                std::int64_t high,
                                std::int64_t axis,
                                double factor) {
            ++backward_calls;
            return network::builtin_quantize().backward(grad, x, scale, low, high, axis, factor);
        };
        network::set_quantize_implementation(counting);
        const auto x = random_tensor({2, 9}, 5).set_requires_grad(true);
        run(quantize_node(4, true, -1), x, at::full({1}, 0.1)).sum().backward();
        CHECK(forward_calls == 1);
        CHECK(backward_calls == 1);
        network::set_quantize_implementation({});
        static_cast<void>(run(quantize_node(4, true, -1), x, at::full({1}, 0.1)));
        CHECK(forward_calls == 1);
    }

    TEST_CASE("quantize: one signed bit is the sign times the scale of its channel") {
        const auto node = quantize_node(1, true, 0);
        CHECK(network::quantize_range(node).low == -1);
        CHECK(network::quantize_range(node).high == 1);
        const auto x = at::tensor({0.0, -0.0, 5.0, -1e-9, -2.0, 3.0}, at::kDouble).view({2, 3});
        const auto scale = at::tensor({0.5, 2.0}, at::kDouble);
        CHECK(run(node, x, scale)
                  .equal(at::tensor({0.5, 0.5, 0.5, -2.0, -2.0, 2.0}, at::kDouble).view({2, 3})));
        // Without a sign one bit has the levels 0 and 1, as any other number of bits would.
        CHECK(network::quantize_range(quantize_node(1, false, -1)).low == 0);
        CHECK(network::quantize_range(quantize_node(1, false, -1)).high == 1);
    }

    TEST_CASE("quantize: one signed bit passes the gradient of a hyperbolic tangent") {
        const auto node = quantize_node(1, true, 0);
        const auto x = random_tensor({3, 8}, 11).to(at::kDouble).set_requires_grad(true);
        const auto scale = at::tensor({0.1, 0.5, 2.0}, at::kDouble).set_requires_grad(true);
        const auto weights = random_tensor({3, 8}, 12).to(at::kDouble);
        (run(node, x, scale, {true, true, 0.1, true}) * weights).sum().backward();
        for (std::int64_t row = 0; row < 3; ++row) {
            const double s = scale.detach()[row].item<double>();
            double slope = 0;
            for (std::int64_t i = 0; i < 8; ++i) {
                const double value = x.detach()[row][i].item<double>();
                const double weight = weights[row][i].item<double>();
                const double step = 1e-6;
                const double tangent =
                    s * (std::tanh((value + step) / s) - std::tanh((value - step) / s)) /
                    (2 * step);
                CHECK(x.grad()[row][i].item<double>() ==
                      doctest::Approx(weight * tangent).epsilon(1e-6));
                slope += value >= 0 ? weight : -weight;
            }
            CHECK(scale.grad()[row].item<double>() == doctest::Approx(slope / std::sqrt(8.0)));
        }
    }

    TEST_CASE("quantize: in a network the weight's first dimension is not a batch") {
        Network net = test::tiny_network();
        test::quantize_input(net, "c", 1, 4, true, 0.1);
        const auto scale = net.parameter("c.q1.scale").tensor.set_requires_grad(true);
        const auto x = random_tensor({2, 3, 8, 8}, 3);
        network::forward(net, x, {true, true, 0.1})[0].sum().backward();
        const double in_network = scale.grad().item<double>();
        // The same by hand: quantize the weight with the factor for all of its 108 elements.
        const auto weight = net.parameter("c.weight").tensor;
        const auto leaf =
            run(quantize_node(4, true, -1), weight, scale.detach()).set_requires_grad(true);
        Network plain = test::tiny_network();
        plain.set_parameter("c.weight", leaf);
        network::forward(plain, x, {true, true, 0.1})[0].sum().backward();
        const double factor = 1.0 / std::sqrt(108.0 * 7.0);
        const auto [grad_x, grad_scale] = network::builtin_quantize().backward(
            leaf.grad(), weight, scale.detach(), -8, 7, -1, factor);
        CHECK(in_network == doctest::Approx(grad_scale.item<double>()).epsilon(1e-4));
    }
}
