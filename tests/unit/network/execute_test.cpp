// Running a network: against plain ATen, gradients through in-place steps, plans after edits.
#include "network/execute.hpp"

#include "unit/network/networks.hpp"

#include <ATen/core/grad_mode.h>

using namespace topress;
using test::code_of;
using test::Network;
using test::random_tensor;
using test::Role;

namespace {

/// tiny_network by hand.
at::Tensor run_by_hand(const Network& net, const at::Tensor& x) {
    const auto tensor = [&](const char* name) { return net.parameter(name).tensor; };
    const std::vector<std::int64_t> one{1, 1};
    const std::vector<std::int64_t> two{2, 2};
    const auto conv = at::conv2d(x, tensor("c.weight"), tensor("c.bias"), one, one);
    const auto pooled = at::max_pool2d(at::relu(conv), two, two);
    return at::linear(pooled.flatten(1), tensor("l.weight"), tensor("l.bias"));
}

void require_gradients(const Network& net) {
    for (const auto& parameter : net.parameters()) {
        if (parameter.role != Role::Buffer) {
            parameter.tensor.set_requires_grad(true);
        }
    }
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("execute: a network equals the same operators called by hand") {
        const Network net = test::tiny_network();
        const auto x = random_tensor({3, 3, 8, 8}, 2);
        const auto before = x.clone();
        CHECK(test::largest_difference(network::forward(net, x, {}).at(0), run_by_hand(net, x)) <
              1e-5);
        CHECK(x.equal(before));
    }

    TEST_CASE("execute: the input survives operators that work in place") {
        Network net;
        net.set_input({"x", {4}});
        net.add_node({"r", "relu", {"x"}, {"r.out"}, {}}, true);
        net.add_node({"f", "flatten", {"x"}, {"f.out"}, {}}, true);
        net.add_node({"r2", "relu", {"f.out"}, {"r2.out"}, {}}, true);
        net.add_node({"a", "add", {"r.out", "r2.out"}, {"a.out"}, {}}, true);
        net.add_node({"twice", "add", {"a.out", "a.out"}, {"twice.out"}, {}}, true);
        net.set_output("twice.out");
        const auto x = random_tensor({2, 4}, 1);
        const auto before = x.clone();
        const at::NoGradGuard no_gradients;
        CHECK(network::forward(net, x, {})[0].equal(4 * before.relu()));
        CHECK(x.equal(before));
    }

    TEST_CASE("execute: a view of the input is not written in place") {
        Network net;
        net.set_input({"x", {2, 2, 2}});
        net.add_node({"f", "flatten", {"x"}, {"f.out"}, {}}, true);
        net.add_node({"r", "relu", {"f.out"}, {"r.out"}, {}}, true);
        net.set_output("r.out");
        const auto x = random_tensor({2, 2, 2, 2}, 1);
        const auto before = x.clone();
        CHECK(network::forward(net, x, {})[0].equal(before.relu().flatten(1)));
        CHECK(x.equal(before));
    }

    TEST_CASE("execute: a value saved for the gradient is not written in place") {
        Network net = test::tiny_network();
        net.add_node({"a", "add", {"r.out", "c.out"}, {"a.out"}, {}});
        net.replace_input("p", 0, "a.out");
        require_gradients(net);
        const auto x = random_tensor({2, 3, 8, 8}, 2);
        network::forward(net, x, {true, false, 0.1})[0].square().sum().backward();
        const auto actual = net.parameter("c.bias").tensor.grad().clone();
        const auto values = network::observe(net, x, {"c.out", "a.out"});
        CHECK(values[1].equal(values[0] + values[0].relu()));
        CHECK(actual.abs().max().item<double>() > 0);
    }

    TEST_CASE("execute: parameters survive operators that work in place") {
        Network net;
        net.set_input({"x", {4}});
        net.add_parameter("w", Role::Weight, random_tensor({3, 4}, 1));
        net.add_node({"r", "relu", {"w"}, {"r.out"}, {}}, true);
        net.add_node({"l", "linear", {"x", "r.out"}, {"l.out"}, {}}, true);
        net.set_output("l.out");
        const auto before = net.parameter("w").tensor.clone();
        const auto x = random_tensor({2, 4}, 2);
        CHECK(network::forward(net, x, {})[0].equal(at::linear(x, before.relu())));
        CHECK(net.parameter("w").tensor.equal(before));
    }

    TEST_CASE("execute: gradients are those of a run that keeps every value") {
        const Network net = test::small_resnet();
        require_gradients(net);
        const auto x = random_tensor({4, 3, 16, 16}, 3);
        network::forward(net, x, {true, false, 0.1})[0].square().sum().backward();
        // Observed values are held by the caller, so nothing can be overwritten in a second run.
        Network kept = net.clone();
        require_gradients(kept);
        std::vector<at::Tensor> values;
        std::map<std::string, at::Tensor> by_name{{"input", x}};
        for (const auto& parameter : kept.parameters()) {
            by_name[parameter.name] = parameter.tensor;
        }
        for (const auto& node : kept.nodes()) {
            std::vector<at::Tensor> inputs;
            for (const auto& name : node.inputs) {
                inputs.push_back(by_name.at(name));
            }
            by_name[node.outputs[0]] =
                network::operator_named(node.op).forward(node, inputs, {true, false, 0.1})[0];
        }
        by_name.at(kept.output()).square().sum().backward();
        for (const auto& parameter : net.parameters()) {
            if (parameter.role != Role::Buffer) {
                CAPTURE(parameter.name);
                CHECK(parameter.tensor.grad().equal(kept.parameter(parameter.name).tensor.grad()));
            }
        }
    }

    TEST_CASE("execute: training updates running statistics and evaluation does not") {
        const Network net = test::small_resnet();
        const auto x = random_tensor({4, 3, 16, 16}, 3);
        const auto mean = net.parameter("stem.bn.running_mean").tensor;
        const auto before = mean.clone();
        static_cast<void>(network::forward(net, x, {}));
        static_cast<void>(network::forward(net, x, {true, false, 0.1}));
        CHECK(mean.equal(before));
        static_cast<void>(network::forward(net, x, {true, true, 0.1}));
        CHECK_FALSE(mean.equal(before));
    }

    TEST_CASE("execute: an edit after a run takes effect in the next") {
        Network net = test::tiny_network();
        const auto x = random_tensor({3, 3, 8, 8}, 2);
        const auto first = network::forward(net, x, {})[0];
        const Network copy = net;
        net.add_node({"end", "relu", {"l.out"}, {"end.out"}, {}});
        net.set_output("end.out");
        CHECK(network::forward(net, x, {})[0].equal(first.relu()));
        CHECK(network::forward(copy, x, {})[0].equal(first));
        net.set_attribute("p", "kernel", std::vector<std::int64_t>{1, 1});
        CHECK_FALSE(network::forward(net, x, {})[0].equal(first.relu()));
    }

    TEST_CASE("execute: observe gives inputs and parameters and inner values") {
        const Network net = test::tiny_network();
        require_gradients(net);
        const auto x = random_tensor({2, 3, 8, 8}, 2);
        const auto values = network::observe(net, x, {"r.out", "x", "c.weight", "r.out", "l.out"});
        CHECK(values[0].equal(values[3]));
        CHECK(values[0].min().item<double>() == 0);
        CHECK(values[1].equal(x));
        CHECK(values[2].equal(net.parameter("c.weight").tensor));
        CHECK(test::largest_difference(values[4], run_by_hand(net, x)) < 1e-5);
        CHECK_FALSE(values[4].requires_grad());
        CHECK(code_of([&] { static_cast<void>(network::observe(net, x, {"nowhere"})); }) ==
              "network/unknown-value");
    }

    TEST_CASE("execute: an observed value is not overwritten by its reader") {
        const Network net = test::tiny_network();
        const auto x = random_tensor({2, 3, 8, 8}, 2);
        const auto values = network::observe(net, x, {"c.out", "r.out"});
        CHECK(values[0].min().item<double>() < 0);
        CHECK(values[1].equal(values[0].relu()));
    }

    TEST_CASE("execute: nodes that no output needs are not run") {
        Network net = test::tiny_network();
        net.add_parameter("broken", Role::Weight, at::ones({1}));
        net.add_node({"dangling", "add", {"x", "broken"}, {"dangling.out"}, {}});
        net.set_parameter("broken", at::ones({17}));
        const auto x = random_tensor({1, 3, 8, 8}, 2);
        CHECK(test::largest_difference(network::forward(net, x, {})[0], run_by_hand(net, x)) <
              1e-5);
        CHECK(code_of([&] { static_cast<void>(network::observe(net, x, {"dangling.out"})); }) ==
              "network/run-failed");
    }

    TEST_CASE("execute: a batch of the wrong shape is refused by name") {
        const Network net = test::tiny_network();
        CHECK(code_of([&] {
                  static_cast<void>(network::forward(net, at::ones({2, 3, 8, 9}), {}));
              }) == "network/shape-mismatch");
        CHECK(code_of([&] { static_cast<void>(network::forward(net, at::ones({3, 8, 8}), {})); }) ==
              "network/shape-mismatch");
        CHECK(code_of([&] { static_cast<void>(network::forward(net, at::Tensor(), {})); }) ==
              "network/shape-mismatch");
    }

    TEST_CASE("execute: an unfinished network is refused") {
        Network net;
        CHECK(code_of([&] { static_cast<void>(network::forward(net, at::ones({1, 1}), {})); }) ==
              "network/bad-input");
        net.set_input({"x", {1}});
        CHECK(code_of([&] { static_cast<void>(network::forward(net, at::ones({1, 1}), {})); }) ==
              "network/unknown-value");
    }

    TEST_CASE("execute: channels-last pictures give the same logits") {
        const Network net = test::small_resnet();
        const auto x = random_tensor({4, 3, 16, 16}, 3);
        const auto last = x.contiguous(at::MemoryFormat::ChannelsLast);
        const auto a = network::forward(net, x, {})[0];
        const auto b = network::forward(net, last, {})[0];
        CHECK(test::largest_difference(a, b) < 1e-4 * (1 + a.abs().max().item<double>()));
        const auto inner = network::observe(net, last, {"stage1.block0.relu2.out"})[0];
        CHECK(inner.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
}
