// Every operator against ATen called directly, and every shape rule against the result it predicts.
#include "network/operators.hpp"

#include "network/execute.hpp"
#include "unit/network/networks.hpp"

#include <array>

using namespace topress;
using network::Attributes;
using network::Node;
using network::RunMode;
using network::Shape;
using test::code_of;
using test::Network;
using test::random_tensor;
using test::Role;

namespace {

using Ints = std::vector<std::int64_t>;

/// Runs one operator on tensors: the result and, without the batch, the shape its rule predicts.
at::Tensor run(const char* op,
               std::vector<at::Tensor> inputs,
               const Attributes& attributes = {},
               const RunMode& mode = {}) {
    const Node node{"n", op, {}, {"y"}, attributes};
    const auto& described = network::operator_named(op);
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const bool is_activation =
            i == 0 || std::string(op) == "add" || std::string(op) == "concat";
        const auto sizes = inputs[i].sizes();
        shapes.push_back(is_activation ? sizes.slice(1).vec() : sizes.vec());
    }
    const at::Tensor y = described.forward(node, inputs, mode).at(0);
    CHECK(described.shape(node, shapes).at(0) == y.sizes().slice(1).vec());
    return y;
}

/// The code that the shape rule of an operator throws for these shapes.
std::string shape_error(const char* op,
                        const std::vector<Shape>& shapes,
                        const Attributes& attributes = {}) {
    const Node node{"n", op, {}, {"y"}, attributes};
    return code_of([&] { static_cast<void>(network::operator_named(op).shape(node, shapes)); });
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("operators: conv2d equals ATen with stride and groups and dilation") {
        const auto x = random_tensor({2, 4, 9, 7}, 1);
        const auto weight = random_tensor({6, 2, 3, 3}, 2);
        const auto bias = random_tensor({6}, 3);
        const Attributes attributes{{"stride", Ints{2, 1}},
                                    {"padding", Ints{1, 2}},
                                    {"dilation", Ints{1, 2}},
                                    {"groups", std::int64_t{2}}};
        const auto y = run("conv2d", {x, weight, bias}, attributes);
        const Ints stride{2, 1};
        const Ints padding{1, 2};
        const Ints dilation{1, 2};
        CHECK(y.equal(at::conv2d(x, weight, bias, stride, padding, dilation, 2)));
        CHECK(run("conv2d", {x, random_tensor({5, 4, 1, 1}, 4)}).size(1) == 5);
    }

    TEST_CASE("operators: conv2d keeps channels-last") {
        const auto x = random_tensor({2, 4, 8, 8}, 1).contiguous(at::MemoryFormat::ChannelsLast);
        const auto y = run("conv2d", {x, random_tensor({6, 4, 3, 3}, 2)});
        CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    }

    TEST_CASE("operators: linear equals ATen") {
        const auto x = random_tensor({3, 5}, 1);
        const auto weight = random_tensor({4, 5}, 2);
        const auto bias = random_tensor({4}, 3);
        CHECK(run("linear", {x, weight, bias}).equal(at::linear(x, weight, bias)));
        CHECK(run("linear", {x, weight}).equal(at::linear(x, weight)));
    }

    TEST_CASE("operators: batch_norm in evaluation uses the running statistics") {
        const auto x = random_tensor({3, 4, 5, 5}, 1);
        const auto gamma = random_tensor({4}, 2);
        const auto beta = random_tensor({4}, 3);
        const auto mean = random_tensor({4}, 4);
        const auto variance = random_tensor({4}, 5).abs() + 0.1;
        const auto y = run("batch_norm", {x, gamma, beta, mean, variance}, {{"epsilon", 1e-3}});
        const Ints form{1, 4, 1, 1};
        const auto expected =
            (x - mean.view(form)) / (variance.view(form) + 1e-3).sqrt() * gamma.view(form) +
            beta.view(form);
        CHECK(test::largest_difference(y, expected) < 1e-5);
    }

    TEST_CASE("operators: batch_norm in training updates the statistics only when asked") {
        const auto x = random_tensor({3, 4, 5, 5}, 1);
        const auto one = at::ones({4});
        const auto zero = at::zeros({4});
        const auto mean = at::zeros({4});
        const auto variance = at::ones({4});
        const auto y = run("batch_norm", {x, one, zero, mean, variance}, {}, {true, false, 0.1});
        CHECK(mean.equal(at::zeros({4})));
        CHECK(y.mean(Ints{0, 2, 3}).abs().max().item<double>() < 1e-5);
        static_cast<void>(
            run("batch_norm", {x, one, zero, mean, variance}, {}, {true, true, 0.25}));
        CHECK(test::largest_difference(mean, 0.25 * x.mean(Ints{0, 2, 3})) < 1e-6);
    }

    TEST_CASE("operators: relu and add and flatten") {
        const auto x = random_tensor({2, 3, 4, 4}, 1);
        const auto y = random_tensor({2, 3, 4, 4}, 2);
        CHECK(run("relu", {x}).equal(x.clamp_min(0)));
        CHECK(run("add", {x, y}).equal(x + y));
        CHECK(run("flatten", {x}).equal(x.reshape({2, 48})));
        const auto last = x.contiguous(at::MemoryFormat::ChannelsLast);
        CHECK(run("flatten", {last}).equal(x.reshape({2, 48})));
    }

    TEST_CASE("operators: concat puts channels one after another and keeps channels-last") {
        const auto x = random_tensor({2, 3, 4, 4}, 1);
        const auto y = random_tensor({2, 1, 4, 4}, 2);
        const auto z = random_tensor({2, 5, 4, 4}, 3);
        const auto joined = run("concat", {x, y, z, x});
        CHECK(joined.sizes() == at::IntArrayRef({2, 12, 4, 4}));
        CHECK(joined.narrow(1, 0, 3).equal(x));
        CHECK(joined.narrow(1, 3, 1).equal(y));
        CHECK(joined.narrow(1, 4, 5).equal(z));
        CHECK(joined.narrow(1, 9, 3).equal(x));
        const auto format = at::MemoryFormat::ChannelsLast;
        CHECK(run("concat", {x.contiguous(format), z.contiguous(format)}).is_contiguous(format));
        CHECK(run("concat", {x.flatten(1), z.flatten(1)}).size(1) == 128);
    }

    TEST_CASE("operators: concat gives every input its part of the gradient") {
        const auto x = random_tensor({2, 3, 2, 2}, 1).set_requires_grad(true);
        const auto y = random_tensor({2, 2, 2, 2}, 2).set_requires_grad(true);
        const auto wanted = random_tensor({2, 8, 2, 2}, 3);
        run("concat", {x, y, x}).mul(wanted).sum().backward();
        CHECK(test::largest_difference(x.grad(), wanted.narrow(1, 0, 3) + wanted.narrow(1, 5, 3)) <
              1e-6);
        CHECK(y.grad().equal(wanted.narrow(1, 3, 2)));
    }

    TEST_CASE("operators: concat takes constants for every sample alike") {
        Network net;
        net.set_input({"x", {2, 3, 3}});
        net.add_parameter("c", Role::Weight, random_tensor({1, 3, 3}, 1));
        net.add_node({"first", "concat", {"c", "x"}, {"first.out"}, {}}, true);
        net.add_node({"last", "concat", {"first.out", "c"}, {"last.out"}, {}}, true);
        net.add_node({"constants", "concat", {"c", "c"}, {"two"}, {}}, true);
        net.add_node({"all", "concat", {"last.out", "two"}, {"all.out"}, {}}, true);
        net.set_output("all.out");
        CHECK(network::infer_shapes(net).at("all.out") == Shape{6, 3, 3});
        const auto x = random_tensor({4, 2, 3, 3}, 2);
        const auto c = net.parameter("c").tensor.expand({4, 1, 3, 3});
        const auto y = network::forward(net, x, {})[0];
        CHECK(y.equal(at::cat({c, x, c, c, c}, 1)));
    }

    TEST_CASE("operators: concat needs two inputs and at most a thousand") {
        Network net = test::tiny_network();
        const auto code = [&](std::size_t count) {
            const std::vector<std::string> inputs(count, "r.out");
            return code_of([&] { net.add_node({"k", "concat", inputs, {"k.out"}, {}}); });
        };
        CHECK(code(0) == "network/bad-node");
        CHECK(code(1) == "network/bad-node");
        CHECK(code(1025) == "network/bad-node");
        CHECK(code(3).empty());
    }

    TEST_CASE("operators: pools equal ATen") {
        const auto x = random_tensor({2, 3, 9, 8}, 1);
        const Attributes attributes{
            {"kernel", Ints{3, 2}}, {"stride", Ints{2, 1}}, {"padding", Ints{1, 0}}};
        const Ints kernel{3, 2};
        const Ints stride{2, 1};
        const Ints padding{1, 0};
        CHECK(run("max_pool", {x}, attributes).equal(at::max_pool2d(x, kernel, stride, padding)));
        CHECK(run("avg_pool", {x}, attributes).equal(at::avg_pool2d(x, kernel, stride, padding)));
        const auto mean = x.mean(Ints{2, 3}, true);
        CHECK(test::largest_difference(run("global_avg_pool", {x}), mean) < 1e-6);
    }

    TEST_CASE("operators: shapes that do not fit are named") {
        CHECK(shape_error("conv2d", {{3, 8, 8}, {4, 2, 3, 3}}) == "network/shape-mismatch");
        CHECK(shape_error("conv2d", {{3, 2, 8}, {4, 3, 3, 3}}) == "network/shape-mismatch");
        CHECK(shape_error("conv2d", {{3, 8}, {4, 3, 3, 3}}) == "network/shape-mismatch");
        CHECK(shape_error("conv2d", {{3, 8, 8}, {4, 3, 3, 3}, {5}}) == "network/shape-mismatch");
        CHECK(shape_error("conv2d", {{3, 8, 8}, {4, 3, 0, 3}}) == "network/shape-mismatch");
        CHECK(shape_error("linear", {{7}, {4, 8}}) == "network/shape-mismatch");
        CHECK(shape_error("linear", {{8}, {4, 8}, {3}}) == "network/shape-mismatch");
        CHECK(shape_error("batch_norm", {{3, 4, 4}, {3}, {3}, {3}, {2}}) ==
              "network/shape-mismatch");
        CHECK(shape_error("add", {{3, 4, 4}, {3, 4, 5}}) == "network/shape-mismatch");
        CHECK(shape_error("concat", {{3, 4, 4}, {2, 4, 4}, {3, 4, 5}}) == "network/shape-mismatch");
        CHECK(shape_error("concat", {{3, 4, 4}, {48}}) == "network/shape-mismatch");
        CHECK(shape_error("concat", {{}, {}}) == "network/shape-mismatch");
        CHECK(shape_error("concat", {{3, 4, 4}, {2, 4, 4}}).empty());
        CHECK(shape_error("max_pool", {{3, 1, 4}}) == "network/shape-mismatch");
        CHECK(shape_error("global_avg_pool", {{3}}) == "network/shape-mismatch");
        CHECK(shape_error("quantize", {{4, 3, 3, 3}, {5}}, {{"axis", std::int64_t{0}}}) ==
              "network/shape-mismatch");
    }

    TEST_CASE("operators: attributes without sense are named") {
        const std::vector<Shape> conv{{4, 8, 8}, {4, 4, 3, 3}};
        CHECK(shape_error("conv2d", conv, {{"stride", Ints{0, 1}}}) == "network/bad-attribute");
        CHECK(shape_error("conv2d", conv, {{"padding", Ints{-1, 1}}}) == "network/bad-attribute");
        CHECK(shape_error("conv2d", conv, {{"stride", Ints{1}}}) == "network/bad-attribute");
        CHECK(shape_error("conv2d", conv, {{"groups", std::int64_t{0}}}) ==
              "network/bad-attribute");
        CHECK(shape_error("conv2d", conv, {{"groups", std::int64_t{3}}}) ==
              "network/bad-attribute");
        CHECK(shape_error("conv2d", conv, {{"dilation", Ints{1LL << 62, 1}}}) ==
              "network/bad-attribute");
        CHECK(shape_error("max_pool", {{3, 8, 8}}, {{"padding", Ints{2, 2}}}) ==
              "network/bad-attribute");
        CHECK(shape_error("batch_norm", {{3}, {3}, {3}, {3}, {3}}, {{"epsilon", 0.0}}) ==
              "network/bad-attribute");
        for (const std::int64_t bits : {0, -1, 17, 64}) {
            CAPTURE(bits);
            CHECK(shape_error("quantize", {{3}, {1}}, {{"bits", bits}}) == "network/bad-attribute");
        }
        CHECK(shape_error("quantize", {{3}, {1}}, {{"axis", std::int64_t{4}}}) ==
              "network/bad-attribute");
    }

    TEST_CASE("operators: shapes of a whole network match what running gives") {
        const Network net = test::small_resnet();
        const auto shapes = network::infer_shapes(net);
        std::vector<std::string> names;
        for (const auto& node : net.nodes()) {
            names.push_back(node.outputs[0]);
        }
        const auto values = network::observe(net, random_tensor({2, 3, 16, 16}, 1), names);
        for (std::size_t i = 0; i < names.size(); ++i) {
            CAPTURE(names[i]);
            CHECK(shapes.at(names[i]) == values[i].sizes().slice(1).vec());
        }
        CHECK(shapes.at("stem.conv.weight") == Shape{8, 3, 3, 3});
    }

    TEST_CASE("operators: a shape mismatch names node and shapes") {
        Network net = test::tiny_network();
        net.set_input({"x", {4, 8, 8}});
        try {
            static_cast<void>(network::infer_shapes(net));
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(error.code() == "network/shape-mismatch");
            CHECK(error.where() == "c");
            CHECK(std::string(error.what()).find("(4, 8, 8)") != std::string::npos);
            CHECK(std::string(error.what()).find("(4, 3, 3, 3)") != std::string::npos);
        }
    }

    TEST_CASE("operators: gradients of a small network equal finite differences") {
        Network net = test::tiny_network();
        std::vector<std::string> names;
        for (const auto& parameter : std::vector<network::Parameter>(net.parameters())) {
            net.set_parameter(parameter.name,
                              parameter.tensor.to(at::kDouble).set_requires_grad(true));
            names.push_back(parameter.name);
        }
        const auto x = random_tensor({2, 3, 8, 8}, 9).to(at::kDouble);
        const auto loss = [&] {
            return network::forward(net, x, {true, true, 0.1})[0].square().sum();
        };
        loss().backward();
        constexpr double kStep = 1e-6;
        constexpr double kRelative = 1e-5;  // rounding of a difference of doubles over 2e-6
        for (const std::string& name : names) {
            const at::Tensor tensor = net.parameter(name).tensor;
            const double gradient = tensor.grad().view(-1)[3].item<double>();
            at::Tensor data = tensor.detach().view(-1);
            data[3] += kStep;
            const double above = loss().item<double>();
            data[3] -= 2 * kStep;
            const double below = loss().item<double>();
            data[3] += kStep;
            CAPTURE(name);
            CHECK(gradient == doctest::Approx((above - below) / (2 * kStep)).epsilon(kRelative));
        }
    }
}
