// Channel groups: what is coupled, and that removal equals zeroing.
#include "network/channels.hpp"

#include "base/error.hpp"
#include "network/cost.hpp"
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "zoo/zoo.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace topress;
using network::Network;

namespace {

// float32 sums in another order; the outputs are of the order of one.
constexpr double kSameOutput = 1e-4;

/// Running statistics and norms away from 0 and 1, so that a wrongly removed channel shows.
void shake_norms(const Network& net, std::uint64_t seed) {
    at::manual_seed(seed);
    for (const auto& parameter : net.parameters()) {
        if (parameter.role == network::Role::Buffer) {
            parameter.tensor.add_(at::rand_like(parameter.tensor));
        } else if (parameter.role == network::Role::Norm) {
            parameter.tensor.add_(0.3 * at::randn_like(parameter.tensor));
        }
    }
}

Network small_resnet(std::uint64_t seed) {
    auto net = zoo::build(
        {.family = "resnet", .depth = 8, .width = 8, .classes = 10, .input_shape = {3, 16, 16}},
        seed);
    shake_norms(net, seed);
    return net;
}

Network small_vgg(std::uint64_t seed) {
    return zoo::build(
        {.family = "vgg", .depth = 11, .width = 8, .classes = 10, .input_shape = {3, 32, 32}},
        seed);
}

constexpr std::int64_t kClasses = 4;

/// A member of one of the four families.
zoo::Specification random_member(std::mt19937_64& random) {
    const std::int64_t width = 2 + static_cast<std::int64_t>(random() % 5);
    switch (random() % 8) {
        case 0:
        case 1:
            return {"mobilenetv2", 53, 8, kClasses, {2, 8, 8}};
        case 2:
        case 3:
            return {"vgg", 11, width, kClasses, {2, 16, 16}};
        case 4:
        case 5:
            return {"resnet", random() % 2 == 0 ? 8 : 14, width, kClasses, {2, 8, 8}};
        default:
            return {"densenet", random() % 2 == 0 ? 16 : 28, width, kClasses, {2, 8, 8}};
    }
}

/// With exits at some values and quantize nodes before some weights.
Network random_network(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Network net = zoo::build(random_member(random), seed);
    shake_norms(net, seed);
    const std::vector<network::Node> nodes = net.nodes();
    const auto shapes = network::infer_shapes(net);
    for (const network::Node& node : nodes) {
        if ((node.op == "relu" || node.op == "concat") && random() % 6 == 0) {
            const std::string name = "exit." + node.name;
            const std::int64_t channels = shapes.at(node.outputs[0])[0];
            net.add_parameter(
                name + ".weight", network::Role::Weight, at::randn({kClasses, channels}) * 0.2);
            net.add_node({name + ".p", "global_avg_pool", {node.outputs[0]}, {name + ".a"}, {}});
            net.add_node({name + ".f", "flatten", {name + ".a"}, {name + ".b"}, {}});
            net.add_node({name + ".l", "linear", {name + ".b", name + ".weight"}, {name}, {}});
            net.add_exit({name, name, "max-probability", 2.0, 0.0});
        }
        if (node.op == "conv2d" && random() % 3 == 0) {
            const std::string name = node.name + ".q";
            const std::int64_t rows = net.parameter(node.inputs[1]).tensor.size(0);
            net.add_parameter(name + ".scale", network::Role::Scale, at::rand({rows}) * 0.1 + 0.01);
            net.add_node(
                {name,
                 "quantize",
                 {node.inputs[1], name + ".scale"},
                 {name + ".out"},
                 {{"bits", std::int64_t{4}}, {"signed", true}, {"axis", std::int64_t{0}}}});
            net.replace_input(node.name, 1, name + ".out");
        }
    }
    return net;
}

/// Zeroes the removed channels where they are produced: convolution and linear rows, batch norm
/// gamma and beta.
void zero_channels(const Network& net,
                   const network::ChannelGroup& group,
                   const std::set<std::int64_t>& kept) {
    for (const auto& member : group.members) {
        const auto& parameter = net.parameter(member.parameter);
        const bool producer = member.dim == 0 && (parameter.role == network::Role::Weight ||
                                                  parameter.role == network::Role::Bias ||
                                                  parameter.role == network::Role::Norm);
        for (std::int64_t c = 0; producer && c < group.channels; ++c) {
            if (!kept.contains(c)) {
                parameter.tensor.narrow(0, member.offset + c * member.repeat, member.repeat)
                    .zero_();
            }
        }
    }
}

std::vector<std::int64_t> random_channels(std::int64_t channels, std::mt19937_64& generator) {
    std::vector<std::int64_t> kept;
    for (std::int64_t c = 0; c < channels; ++c) {
        if (generator() % 2 == 0) {
            kept.push_back(c);
        }
    }
    if (kept.empty()) {
        kept.push_back(
            static_cast<std::int64_t>(generator() % static_cast<std::uint64_t>(channels)));
    }
    return kept;
}

/// Prunes a random part of every group; the outputs must equal those of the zeroed network.
void check_pruned_equals_zeroed(const Network& net, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    Network zeroed = net.clone();
    Network pruned = net.clone();
    for (const auto& group : network::find_channel_groups(net)) {
        const auto kept = random_channels(group.channels, generator);
        zero_channels(zeroed, group, {kept.begin(), kept.end()});
        network::keep_channels(pruned, group.name, kept);
    }
    std::vector<std::int64_t> shape = net.input().shape;
    shape.insert(shape.begin(), 3);
    at::manual_seed(seed);
    const auto input = at::randn(shape);
    at::NoGradGuard no_grad;
    const auto expected = network::forward(zeroed, input, {});
    const auto actual = network::forward(pruned, input, {});
    REQUIRE(expected.size() == actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(seed);
        CHECK((expected[i] - actual[i]).abs().max().item<double>() <
              kSameOutput * (1 + expected[i].abs().max().item<double>()));
    }
    CHECK(network::cost_of(pruned).macs < network::cost_of(net).macs);
    CHECK(network::cost_of(pruned).parameters < network::cost_of(net).parameters);
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("channels: residual adds couple their producers into one group") {
        const auto net = small_resnet(1);
        const auto groups = network::find_channel_groups(net);
        const auto stem = std::find_if(
            groups.begin(), groups.end(), [](const auto& g) { return g.name == "stem.conv"; });
        REQUIRE(stem != groups.end());
        std::set<std::string> members;
        for (const auto& member : stem->members) {
            members.insert(member.parameter + ":" + std::to_string(member.dim));
        }
        CHECK(members.contains("stem.conv.weight:0"));
        CHECK(members.contains("stage1.block0.conv1.weight:1"));
        CHECK(members.contains("stage1.block0.conv2.weight:0"));
        CHECK(members.contains("stage2.block0.conv1.weight:1"));
        CHECK_FALSE(members.contains("stage1.block0.conv1.weight:0"));
    }

    TEST_CASE("channels: neither input nor classes can be pruned") {
        for (const auto& group : network::find_channel_groups(small_resnet(2))) {
            for (const auto& member : group.members) {
                CHECK_FALSE((member.parameter == "stem.conv.weight" && member.dim == 1));
                CHECK_FALSE((member.parameter == "head.linear.weight" && member.dim == 0));
            }
        }
    }

    TEST_CASE("channels: a pruned ResNet equals the zeroed one") {
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
            check_pruned_equals_zeroed(small_resnet(seed), seed);
        }
    }

    TEST_CASE("channels: a pruned VGG equals the zeroed one") {
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            check_pruned_equals_zeroed(small_vgg(seed), seed);
        }
    }

    TEST_CASE(
        "channels: networks with exits and bits equal the zeroed ones after a thousand prunings") {
        // Work too small to share: threads would mostly wait for each other.
        const int threads = at::get_num_threads();
        at::set_num_threads(1);
        int exits = 0;
        int quantized = 0;
        int joined = 0;
        std::size_t prunings = 0;
        for (std::uint64_t seed = 1000; seed < 1120; ++seed) {
            const Network net = random_network(seed);
            exits += net.exits().empty() ? 0 : 1;
            prunings += network::find_channel_groups(net).size();
            for (const auto& node : net.nodes()) {
                quantized += node.op == "quantize" ? 1 : 0;
                joined += node.op == "concat" ? 1 : 0;
            }
            check_pruned_equals_zeroed(net, seed);
        }
        at::set_num_threads(threads);
        CHECK(prunings > 1000);
        CHECK(exits > 50);
        CHECK(quantized > 250);
        CHECK(joined > 100);
    }

    TEST_CASE("channels: a pruned DenseNet equals the zeroed one") {
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
            auto net = zoo::build({"densenet", 22, 4, 10, {3, 16, 16}}, seed);
            shake_norms(net, seed);
            check_pruned_equals_zeroed(net, seed);
        }
    }

    TEST_CASE("channels: flatten to linear removes a block of features per channel") {
        Network net;
        net.set_input({"x", {2, 2, 2}});
        at::manual_seed(3);
        net.add_parameter("c.weight", network::Role::Weight, at::randn({4, 2, 1, 1}));
        net.add_parameter("l.weight", network::Role::Weight, at::randn({5, 16}));
        net.add_node({"c", "conv2d", {"x", "c.weight"}, {"c.out"}, {}}, true);
        net.add_node({"f", "flatten", {"c.out"}, {"f.out"}, {}}, true);
        net.add_node({"l", "linear", {"f.out", "l.weight"}, {"l.out"}, {}}, true);
        net.set_output("l.out");
        check_pruned_equals_zeroed(net, 3);
        network::keep_channels(net, "c", {1, 3});
        CHECK(net.parameter("l.weight").tensor.size(1) == 8);
    }

    TEST_CASE("channels: depthwise convolutions follow their input") {
        Network net;
        net.set_input({"x", {3, 6, 6}});
        at::manual_seed(4);
        net.add_parameter("a.weight", network::Role::Weight, at::randn({8, 3, 1, 1}));
        net.add_parameter("d.weight", network::Role::Weight, at::randn({8, 1, 3, 3}));
        net.add_parameter("b.weight", network::Role::Weight, at::randn({4, 8, 1, 1}));
        net.add_node({"a", "conv2d", {"x", "a.weight"}, {"a.out"}, {}}, true);
        net.add_node({"d",
                      "conv2d",
                      {"a.out", "d.weight"},
                      {"d.out"},
                      {{"groups", std::int64_t{8}}, {"padding", std::vector<std::int64_t>{1, 1}}}},
                     true);
        net.add_node({"b", "conv2d", {"d.out", "b.weight"}, {"b.out"}, {}}, true);
        net.set_output("b.out");
        check_pruned_equals_zeroed(net, 4);
        network::keep_channels(net, "a", {0, 5, 6});
        CHECK(network::int_attribute(net.node("d"), "groups", 1) == 3);
        CHECK(net.parameter("d.weight").tensor.sizes() == at::IntArrayRef({3, 1, 3, 3}));
    }

    TEST_CASE("channels: weights behind quantize nodes shrink with their scales") {
        Network net = small_vgg(5);
        const auto groups = network::find_channel_groups(net);
        const auto weight = groups.front().members.front().parameter;
        const auto rows = net.parameter(weight).tensor.size(0);
        const auto* conv = net.consumers(weight).front();
        const std::string conv_name = conv->name;
        net.add_parameter("q.scale", network::Role::Scale, at::full({rows}, 0.02));
        net.add_node({"q",
                      "quantize",
                      {weight, "q.scale"},
                      {"q.out"},
                      {{"bits", std::int64_t{4}}, {"signed", true}, {"axis", std::int64_t{0}}}});
        net.replace_input(conv_name, 1, "q.out");
        network::keep_channels(net, groups.front().name, {0, 2, 3});
        CHECK(net.parameter("q.scale").tensor.size(0) == 3);
        CHECK(net.parameter(weight).tensor.size(0) == 3);
    }

    TEST_CASE("channels: bad requests are refused and change nothing") {
        Network net = small_resnet(6);
        const auto before = network::cost_of(net).parameters;
        CHECK_THROWS_AS(network::keep_channels(net, "nowhere", {0}), Error);
        CHECK_THROWS_AS(network::keep_channels(net, "stem.conv", {}), Error);
        CHECK_THROWS_AS(network::keep_channels(net, "stem.conv", {3, 1}), Error);
        CHECK_THROWS_AS(network::keep_channels(net, "stem.conv", {0, 99}), Error);
        CHECK(network::cost_of(net).parameters == before);
    }
}
