// Tests network/operators/cast.cpp: what a reduced run computes in which numbers.
#include "network/operators/cast.hpp"

#include "network/execute.hpp"
#include "unit/network/networks.hpp"

#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <cmath>

using namespace topress;
using namespace topress::test;
using network::Operator;
using network::RunMode;

namespace {

RunMode reduced(bool training) {
    RunMode mode;
    mode.training = training;
    mode.reduced = true;
    return mode;
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
    return ((a.to(at::kDouble) - b.to(at::kDouble)).norm() / b.to(at::kDouble).norm())
        .item<double>();
}

std::vector<at::ScalarType> types_for(const char* op, std::vector<at::Tensor> inputs) {
    network::cast_inputs(network::operator_named(op), inputs);
    std::vector<at::ScalarType> types;
    for (const at::Tensor& input : inputs) {
        types.push_back(input.scalar_type());
    }
    return types;
}

/// Gradients of the sum of squares of all outputs, by parameter.
std::vector<at::Tensor> gradients_of(const Network& net, const at::Tensor& x, const RunMode& mode) {
    for (const auto& parameter : net.parameters()) {
        at::Tensor tensor = parameter.tensor;
        tensor.mutable_grad().reset();
        tensor.requires_grad_(parameter.role != Role::Buffer);
    }
    const at::AutoGradMode with_gradients(true);
    at::Tensor sum = at::zeros({});
    for (const at::Tensor& output : network::forward(net, x, mode)) {
        sum = sum + output.to(at::kFloat).square().sum();
    }
    sum.backward();
    std::vector<at::Tensor> gradients;
    for (const auto& parameter : net.parameters()) {
        gradients.push_back(parameter.tensor.grad());
    }
    return gradients;
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("cast: inputs are cast as the operator says") {
        const at::Tensor picture = at::ones({2, 3, 4, 4});
        const at::Tensor half = picture.to(at::kBFloat16);
        const at::Tensor weight = at::ones({5, 3, 1, 1});
        const at::Tensor vector = at::ones({3});
        const auto float_ = at::kFloat;
        const auto brief = at::kBFloat16;
        using Types = std::vector<at::ScalarType>;
        CHECK((types_for("conv2d", {picture, weight}) == Types{brief, brief}));
        CHECK((types_for("batch_norm", {half, vector, vector, vector, vector}) ==
               Types{brief, float_, float_, float_, float_}));
        CHECK((types_for("quantize", {half, vector}) == Types{float_, float_}));
        CHECK((types_for("add", {half, picture}) == Types{brief, brief}));
        CHECK((types_for("relu", {picture}) == Types{float_}));
    }

    TEST_CASE("cast: what fits already is the same tensor") {
        const at::Tensor half = at::ones({2, 3}).to(at::kBFloat16);
        std::vector<at::Tensor> inputs{half};
        network::cast_inputs(network::operator_named("linear"), inputs);
        CHECK(inputs[0].is_same(half));
    }

    TEST_CASE(
        "cast: every operator of the zoo runs reduced, close to float, parameters stay float") {
        for (const char* family : {"resnet", "densenet", "vgg", "mobilenetv2"}) {
            CAPTURE(family);
            const bool is_vgg = std::string(family) == "vgg";
            const std::int64_t depth = is_vgg                                 ? 11
                                       : std::string(family) == "mobilenetv2" ? 53
                                       : std::string(family) == "densenet"    ? 16
                                                                              : 8;
            const Network net = shaken({family, depth, 8, 10, {3, 32, 32}}, 3);
            const at::Tensor x = random_tensor({4, 3, 32, 32}, 5);
            const at::NoGradGuard no_gradients;
            for (const bool training : {false, true}) {
                CAPTURE(training);
                RunMode exact;
                exact.training = training;
                const at::Tensor wanted = network::forward(net, x, exact).back();
                const at::Tensor found = network::forward(net, x, reduced(training)).back();
                CHECK((found.scalar_type() == at::kBFloat16));
                CHECK(relative_difference(found, wanted) < 0.1);
                CHECK(relative_difference(found, wanted) > 0);
            }
            for (const auto& parameter : net.parameters()) {
                CHECK((parameter.tensor.scalar_type() == at::kFloat));
            }
        }
    }

    TEST_CASE("cast: gradients are float and close to those of float") {
        Network net = resnet_with_exits(0.5, 0.5);
        quantize_input(net, "stage1.block0.conv2", 1, 8, true);
        quantize_input(net, "stage1.block0.conv2", 0, 8, false);
        const at::Tensor x = random_tensor({64, 3, 16, 16}, 9);
        RunMode exact;
        exact.training = true;
        const auto wanted = gradients_of(net, x, exact);
        const auto found = gradients_of(net, x, reduced(true));
        std::size_t compared = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            CAPTURE(net.parameters()[i].name);
            if (!wanted[i].defined()) {
                continue;
            }
            REQUIRE(found[i].defined());
            CHECK((found[i].scalar_type() == at::kFloat));
            if (net.parameters()[i].role == Role::Weight) {
                // Rounding adds up, and masks of relu may flip near zero; a wrong sign gives 2.
                CHECK(relative_difference(found[i], wanted[i]) < 0.2);
            }
            ++compared;
        }
        CHECK(compared > 20);
    }
}
