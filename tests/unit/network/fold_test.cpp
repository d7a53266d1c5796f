// Tests network/fold.cpp and the joined convolutions: the same answers with fewer steps.
#include "network/fold.hpp"

#include "network/execute.hpp"
#include "network/operators/conv_tail.hpp"
#include "network/plan.hpp"
#include "unit/network/networks.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>

using namespace topress;
using network::ConvTail;
using network::fold_for_evaluation;
using test::attach_exit;
using test::largest_difference;
using test::Network;
using test::quantize_input;
using test::random_tensor;
using test::Role;

namespace {

std::size_t nodes_named(const Network& net, std::string_view op) {
    return static_cast<std::size_t>(std::count_if(
        net.nodes().begin(), net.nodes().end(), [&](const auto& node) { return node.op == op; }));
}

std::size_t steps_named(const Network& net, std::string_view op) {
    const auto& steps = network::plan_of(net)->steps;
    return static_cast<std::size_t>(std::count_if(
        steps.begin(), steps.end(), [&](const auto& step) { return step.op->name == op; }));
}

at::Tensor pictures(std::int64_t count) {
    return random_tensor({count, 3, 16, 16}, 9).contiguous(at::MemoryFormat::ChannelsLast);
}

void check_same_answers(const Network& net, double tolerance) {
    const at::NoGradGuard no_gradients;
    const Network folded = fold_for_evaluation(net);
    const at::Tensor x = pictures(6);
    const auto expected = network::forward(net, x, {});
    const auto actual = network::forward(folded, x, {});
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        CAPTURE(i);
        const double size = std::max(expected[i].abs().max().item<double>(), 1.0);
        CHECK(largest_difference(actual[i], expected[i]) < tolerance * size);
    }
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("fold: a residual network answers the same without its batch norms") {
        const Network net = test::small_resnet();
        const Network folded = fold_for_evaluation(net);
        CHECK(nodes_named(net, "batch_norm") > 0);
        CHECK(nodes_named(folded, "batch_norm") == 0);
        CHECK(nodes_named(folded, "conv2d") == nodes_named(net, "conv2d"));
        CHECK(steps_named(folded, "relu") == 0);
        CHECK(steps_named(folded, "add") == 0);
        check_same_answers(net, 1e-5);
    }

    TEST_CASE("fold: batch norms behind a concat stay and the answers are the same") {
        const Network net = test::small_densenet();
        const Network folded = fold_for_evaluation(net);
        // Of every layer the norm between its convolutions goes; the one before reads a joined
        // value, or one that is joined later.
        CHECK(nodes_named(folded, "batch_norm") == nodes_named(net, "batch_norm") - 6);
        CHECK(nodes_named(folded, "concat") == nodes_named(net, "concat"));
        CHECK(steps_named(folded, "relu") == 0);
        check_same_answers(net, 1e-5);
    }

    TEST_CASE("fold: the network itself stays as it is") {
        const Network net = test::small_resnet();
        const Network before = net.clone();
        static_cast<void>(fold_for_evaluation(net));
        CHECK(net.nodes().size() == before.nodes().size());
        for (const auto& parameter : before.parameters()) {
            CHECK(net.parameter(parameter.name).tensor.equal(parameter.tensor));
        }
    }

    TEST_CASE("fold: quantized weights are computed once, quantized values in every run") {
        Network net = test::small_resnet();
        for (const std::string node : {"stage1.block0.conv1", "stage2.block0.conv2"}) {
            quantize_input(net, node, 1, 4, true, 0.02);
            quantize_input(net, node, 0, 8, false, 0.03);
        }
        const Network folded = fold_for_evaluation(net);
        CHECK(nodes_named(net, "quantize") == 4);
        CHECK(nodes_named(folded, "quantize") == 2);
        // A rounding difference before a quantized value can move it by one step.
        check_same_answers(net, 0.02);
    }

    TEST_CASE("fold: exits stay, with their thresholds and shares") {
        Network net = test::resnet_with_exits(0.4, 0.9);
        net.set_exit("exit1", 0.4, 0.25);
        const Network folded = fold_for_evaluation(net);
        REQUIRE(folded.exits().size() == 2);
        CHECK(folded.exits()[0].threshold == 0.4);
        CHECK(folded.exits()[0].share == 0.25);
        check_same_answers(net, 1e-5);
        const auto expected = network::forward_with_exits(net, pictures(40));
        const auto actual = network::forward_with_exits(folded, pictures(40));
        CHECK(actual.exit_index.equal(expected.exit_index));
        CHECK(largest_difference(actual.logits, expected.logits) < 1e-4);
    }

    TEST_CASE("fold: a batch norm whose layer is read elsewhere stays") {
        Network net = test::small_resnet();
        const std::string between = net.node("stage1.block0.conv1").outputs[0];
        attach_exit(net, "early", between, 8, 0.9);
        const Network folded = fold_for_evaluation(net);
        CHECK(nodes_named(folded, "batch_norm") == 1);
        check_same_answers(net, 1e-5);
    }

    TEST_CASE("fold: names that begin as its own do not meet them") {
        Network net = test::small_resnet();
        net.add_parameter("folded.0.weight", Role::Weight, random_tensor({10, 8}, 3));
        net.add_node({"folded.", "global_avg_pool", {"stage1.block0.relu2.out"}, {"folded.p"}, {}});
        net.add_node({"folded.f", "flatten", {"folded.p"}, {"folded._"}, {}});
        net.add_node({"l2", "linear", {"folded._", "folded.0.weight"}, {"l2.out"}, {}});
        net.add_exit({"e", "l2.out", "max-probability", 0.5});
        check_same_answers(net, 1e-5);
    }

    TEST_CASE("fold: a bias before the batch norm and a linear layer") {
        Network net;
        net.set_input({"x", {3, 16, 16}});
        net.add_parameter("c.weight", Role::Weight, random_tensor({6, 3, 3, 3}, 1));
        net.add_parameter("c.bias", Role::Bias, random_tensor({6}, 2));
        net.add_parameter("l.weight", Role::Weight, random_tensor({5, 6 * 14 * 14}, 3) * 0.05);
        for (const std::string norm : {"n", "m"}) {
            const std::int64_t size = norm == "n" ? 6 : 5;
            net.add_parameter(norm + ".gamma", Role::Norm, random_tensor({size}, 4));
            net.add_parameter(norm + ".beta", Role::Norm, random_tensor({size}, 5));
            net.add_parameter(norm + ".mean", Role::Buffer, random_tensor({size}, 6));
            net.add_parameter(norm + ".variance", Role::Buffer, at::rand({size}) + 0.5);
        }
        const auto norm = [&](const std::string& name, const std::string& value) {
            net.add_node(
                {name,
                 "batch_norm",
                 {value, name + ".gamma", name + ".beta", name + ".mean", name + ".variance"},
                 {name + ".out"},
                 {{"epsilon", 1e-3}}},
                true);
        };
        net.add_node({"c", "conv2d", {"x", "c.weight", "c.bias"}, {"c.out"}, {}}, true);
        norm("n", "c.out");
        net.add_node({"f", "flatten", {"n.out"}, {"f.out"}, {}}, true);
        net.add_node({"l", "linear", {"f.out", "l.weight"}, {"l.out"}, {}}, true);
        norm("m", "l.out");
        net.set_output("m.out");
        CHECK(nodes_named(fold_for_evaluation(net), "batch_norm") == 0);
        check_same_answers(net, 1e-5);
    }

    TEST_CASE("conv: with its tail it equals the operators one after the other") {
        const network::Node node{
            "c", "conv2d", {}, {}, {{"padding", std::vector<std::int64_t>{1, 1}}}};
        for (const auto format : {at::MemoryFormat::ChannelsLast, at::MemoryFormat::Contiguous}) {
            for (const bool gradients : {false, true}) {
                for (const ConvTail& tail :
                     {ConvTail{true, false}, ConvTail{false, true}, ConvTail{true, true}}) {
                    CAPTURE(gradients);
                    CAPTURE(tail.relu);
                    CAPTURE(tail.residual);
                    const at::AutoGradMode mode(gradients);
                    const at::Tensor x = random_tensor({3, 8, 9, 7}, 1).contiguous(format);
                    const at::Tensor weight =
                        random_tensor({12, 8, 3, 3}, 2).set_requires_grad(gradients);
                    const at::Tensor bias = random_tensor({12}, 3);
                    const at::Tensor residual = random_tensor({3, 12, 9, 7}, 4).contiguous(format);
                    at::Tensor expected = at::conv2d(x, weight, bias, {1, 1}, {1, 1});
                    expected = tail.residual ? expected + residual : expected;
                    expected = tail.relu ? expected.relu() : expected;
                    std::vector<at::Tensor> inputs{x, weight, bias};
                    if (tail.residual) {
                        inputs.insert(inputs.begin(), residual.clone());
                    }
                    const auto& op = network::conv_operator(tail);
                    const at::Tensor apart = op.forward(node, inputs, {})[0];
                    CHECK(largest_difference(apart, expected) < 1e-4);
                    if (tail.residual) {
                        CHECK(inputs[0].equal(residual));
                        const at::Tensor onto = op.forward_in_place(node, inputs, {})[0];
                        CHECK(largest_difference(onto, expected) < 1e-4);
                    }
                    if (gradients) {
                        apart.square().sum().backward();
                        const at::Tensor actual = weight.grad().clone();
                        weight.mutable_grad().reset();
                        expected.square().sum().backward();
                        CHECK(largest_difference(actual, weight.grad()) < 1e-2);
                    }
                }
            }
        }
    }

    // oneDNN writes past its buffers here; see convolution.cpp.
    TEST_CASE("conv: 1x1 with a stride on few channels is what its definition says") {
        const network::Node node{
            "c", "conv2d", {}, {}, {{"stride", std::vector<std::int64_t>{2, 2}}}};
        for (const std::int64_t channels : {1, 2, 6, 7, 12, 20}) {
            CAPTURE(channels);
            const at::Tensor x = random_tensor({32, channels, 15, 16}, 1)
                                     .contiguous(at::MemoryFormat::ChannelsLast)
                                     .set_requires_grad(true);
            const at::Tensor weight = random_tensor({6, channels, 1, 1}, 2).set_requires_grad(true);
            const at::Tensor y =
                network::operator_named("conv2d").forward(node, {x, weight}, {})[0];
            y.square().sum().backward();
            const at::Tensor wide = x.detach().to(at::kDouble).set_requires_grad(true);
            const at::Tensor wide_weight = weight.detach().to(at::kDouble).set_requires_grad(true);
            const at::Tensor expected = at::conv2d(wide.contiguous(), wide_weight, {}, {2, 2});
            expected.square().sum().backward();
            CHECK(y.sizes() == expected.sizes());
            CHECK(largest_difference(y.to(at::kDouble), expected) < 1e-4);
            CHECK(largest_difference(x.grad().to(at::kDouble), wide.grad()) < 1e-3);
            const double size = wide_weight.grad().abs().max().item<double>();
            CHECK(largest_difference(weight.grad().to(at::kDouble), wide_weight.grad()) <
                  1e-5 * size);
        }
    }
}
