// Operators that are not built in: registration, running, channels, cost, lowering with its checks.
#include "network/custom.hpp"

#include "network/channels.hpp"
#include "network/cost.hpp"
#include "network/execute.hpp"
#include "network/serialize.hpp"
#include "unit/network/networks.hpp"

using namespace topress;
using network::ChannelRule;
using network::CustomRules;
using network::Node;
using network::Shape;
using test::code_of;
using test::Network;
using test::Role;
using test::tiny_network;

namespace {

using Tensors = std::vector<at::Tensor>;

network::Operator operator_of(const char* name, std::size_t inputs, double factor = 2) {
    network::Operator op;
    op.name = name;
    op.minimum_inputs = 1;
    op.maximum_inputs = inputs;
    op.forward = [factor](const Node&, const Tensors& in, const network::RunMode&) {
        return Tensors{in.back() * factor};
    };
    op.shape = [](const Node&, const std::vector<Shape>& in) {
        return std::vector<Shape>{in.back()};
    };
    return op;
}

/// Doubling as the sum of a value with itself.
void lower_to_add(Network& net, const std::string& name) {
    const Node node = net.node(name);
    net.add_node({name + ".sum", "add", {node.inputs[0], node.inputs[0]}, {name + ".sum.out"}, {}});
    net.replace_uses(node.outputs[0], name + ".sum.out");
    net.remove_node(name);
}

CustomRules rules(ChannelRule channels, std::uintptr_t identity) {
    CustomRules result;
    result.channels = channels;
    result.identity = identity;
    result.lower = lower_to_add;
    return result;
}

/// The operators of this file, once: what is registered stays.
void register_all() {
    register_operator(operator_of("test.double", 1), rules(ChannelRule::Elementwise, 1));
    register_operator(operator_of("test.double-blocked", 1), rules(ChannelRule::Blocked, 2));
    register_operator(operator_of("test.triple", 1, 3), rules(ChannelRule::Elementwise, 3));
    CustomRules lazy = rules(ChannelRule::Elementwise, 4);
    lazy.lower = [](Network&, const std::string&) {};
    register_operator(operator_of("test.lazy", 1), lazy);
    CustomRules failing = rules(ChannelRule::Elementwise, 5);
    failing.lower = [](Network&, const std::string&) {
        throw std::runtime_error("no idea\nat 0x");
    };
    register_operator(operator_of("test.failing", 1), failing);
    CustomRules costly = rules(ChannelRule::Elementwise, 6);
    costly.cost = [](const Node&, const std::vector<Shape>& in, const std::vector<Shape>&) {
        return network::CustomCost{static_cast<double>(in[0][0]), 2, 4, 3};
    };
    register_operator(operator_of("test.costly", 1), costly);
    network::Operator none = operator_of("test.mean", 1);
    none.forward = [](const Node&, const Tensors& in, const network::RunMode&) {
        return Tensors{in[0].mean(1, true)};
    };
    none.shape = [](const Node&, const std::vector<Shape>& in) {
        return std::vector<Shape>{{1, in[0][1], in[0][2]}};
    };
    register_operator(none, rules(ChannelRule::None, 7));
    network::Operator wrong = operator_of("test.wrong-shape", 1);
    wrong.shape = [](const Node&, const std::vector<Shape>& in) {
        return std::vector<Shape>{{in[0][0], 1, 1}};
    };
    register_operator(wrong, rules(ChannelRule::Blocked, 8));
    // A weight made from two parameters: the second one as it is, times two.
    register_operator(operator_of("test.made-weight", 2), rules(ChannelRule::Elementwise, 9));
}

/// tiny_network() with a custom node between conv and relu.
Network with_custom(const char* op) {
    register_all();
    Network net = tiny_network();
    net.add_node({"custom", op, {"c.out"}, {"custom.out"}, {}});
    net.replace_uses("c.out", "custom.out");
    return net;
}

at::Tensor output_of(const Network& net) {
    return network::observe(net, test::random_tensor({2, 3, 8, 8}, 5), {net.output()})[0];
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("custom: a registered operator runs, and is lowered to the same numbers") {
        const Network net = with_custom("test.double");
        CHECK(network::custom_nodes(net) == std::vector<std::string>{"custom"});
        const at::Tensor before = output_of(net);
        CHECK_FALSE(at::allclose(before, output_of(tiny_network())));
        const Network lowered = network::lower_custom_operators(net);
        CHECK(network::custom_nodes(lowered).empty());
        CHECK(lowered.node("custom.sum").op == "add");
        CHECK(at::equal(output_of(lowered), before));
        CHECK(network::from_bytes(network::to_bytes(lowered, {}), "memory").nodes().size() == 6);
    }

    TEST_CASE("custom: a lowering that computes something else is refused with figures") {
        const Network net = with_custom("test.triple");
        try {
            static_cast<void>(network::lower_custom_operators(net));
            FAIL("it was accepted");
        } catch (const Error& error) {
            CHECK(error.code() == "check/lowering-differs");
            CHECK(std::string(error.what()).find("'custom.sum.out' differs by") !=
                  std::string::npos);
        }
        CHECK(network::custom_nodes(net).size() == 1);
    }

    TEST_CASE("custom: a node that stays, a rule that throws and a wrong shape rule are named") {
        for (const char* op : {"test.lazy", "test.failing"}) {
            CAPTURE(op);
            const Network net = with_custom(op);
            CHECK(code_of([&] { static_cast<void>(network::lower_custom_operators(net)); }) ==
                  "check/not-lowered");
        }
        register_all();
        Network net = tiny_network();
        net.add_node({"custom", "test.wrong-shape", {"r.out"}, {"custom.out"}, {}});
        CHECK(code_of([&] { static_cast<void>(network::lower_custom_operators(net)); }) ==
              "check/not-lowered");
    }

    TEST_CASE("custom: a network that holds one is not saved") {
        const Network net = with_custom("test.double");
        CHECK(code_of([&] { static_cast<void>(network::to_bytes(net, {})); }) ==
              "network/custom-operator");
    }

    TEST_CASE("custom: names are reverse DNS and belong to one operator") {
        register_all();
        const auto code = [](const char* name, std::uintptr_t identity) {
            return code_of([&] {
                register_operator(operator_of(name, 1), rules(ChannelRule::Blocked, identity));
            });
        };
        for (const char* name : {"double",
                                 "test..double",
                                 ".double",
                                 "test.",
                                 "Test.Double",
                                 "test.double up",
                                 "conv2d",
                                 "test.2d"}) {
            CAPTURE(name);
            CHECK(code(name, 20) == "network/bad-operator");
        }
        CHECK(code("test.double", 20) == "network/bad-operator");
        CHECK(code("test.double", 1).empty());
        CHECK(code_of([] {
                  register_operator({"test.empty", 1, 1, {}, {}, {}, {}},
                                    rules(ChannelRule::Blocked, 30));
              }) == "network/bad-operator");
    }

    TEST_CASE("custom: channels pass elementwise, or not at all") {
        Network net = with_custom("test.double");
        const auto groups = network::find_channel_groups(net);
        REQUIRE(groups.size() == 1);
        CHECK(groups[0].members.size() == 3);  // weight and bias of c, columns of l
        network::keep_channels(net, groups[0].name, {0, 2});
        CHECK(output_of(net).size(1) == 5);
        CHECK(network::find_channel_groups(with_custom("test.double-blocked")).empty());
    }

    TEST_CASE("custom: an operator over all channels leaves its inputs free and its output fixed") {
        register_all();
        Network net = tiny_network();
        net.add_node({"custom", "test.mean", {"r.out"}, {"custom.out"}, {}});
        net.replace_uses("r.out", "custom.out");
        net.set_parameter("l.weight", test::random_tensor({5, 16}, 3));
        const auto groups = network::find_channel_groups(net);
        REQUIRE(groups.size() == 1);
        CHECK(groups[0].name == "c");
        CHECK(groups[0].members.size() == 2);
        network::keep_channels(net, "c", {1});
        CHECK(output_of(net).size(1) == 5);
    }

    TEST_CASE("custom: a weight made from parameters shrinks with its makers of the same shape") {
        register_all();
        Network net = tiny_network();
        net.add_parameter("made.codes", Role::Weight, test::random_tensor({7}, 1));
        net.add_node({"made", "test.made-weight", {"made.codes", "c.weight"}, {"made.out"}, {}});
        net.replace_input("c", 1, "made.out");
        const auto groups = network::find_channel_groups(net);
        REQUIRE(groups.size() == 1);
        network::keep_channels(net, groups[0].name, {0, 3});
        CHECK(net.parameter("c.weight").tensor.size(0) == 2);
        CHECK(net.parameter("made.codes").tensor.size(0) == 7);
        CHECK(output_of(net).size(1) == 5);
    }

    TEST_CASE("custom: its cost rule counts MACs at its bits and gives its output a precision") {
        const Network net = with_custom("test.costly");
        const network::Cost cost = network::cost_of(net);
        CHECK(cost.macs == network::cost_of(tiny_network()).macs + 4);
        CHECK(cost.nodes[1].bitops == 4.0 * 2 * 4);
        CHECK(network::precision_of(net, "custom.out").bits == 3);
        CHECK(network::precision_of(with_custom("test.double"), "custom.out").bits == 32);
    }

    TEST_CASE("edit: uses of a value move to another one, except those it is made from") {
        Network net = tiny_network();
        net.add_exit({"early", "l.out", "max-probability", 0.5});
        net.add_node({"twice", "add", {"l.out", "l.out"}, {"twice.out"}, {}});
        net.replace_uses("l.out", "twice.out");
        CHECK(net.output() == "twice.out");
        CHECK(net.exits()[0].logits == "twice.out");
        CHECK(net.node("twice").inputs[0] == "l.out");
        net.add_node({"side", "relu", {"r.out"}, {"side.out"}, {}});
        CHECK(code_of([&] { net.replace_uses("r.out", "l.out"); }) == "network/unknown-value");
        CHECK(code_of([&] { net.replace_uses("none", "l.out"); }) == "network/unknown-value");
        CHECK(code_of([&] { net.replace_uses("twice.out", "l.bias"); }) == "network/bad-exit");
        CHECK(net.output() == "twice.out");
    }

    TEST_CASE("edit: removing an exit removes its head and what only the head used") {
        Network net = tiny_network();
        net.add_parameter("h.weight", Role::Weight, test::random_tensor({5, 256}, 3));
        net.add_node({"hf", "flatten", {"r.out"}, {"hf.out"}, {}});
        net.add_node({"h", "linear", {"hf.out", "h.weight"}, {"h.out"}, {}});
        net.add_exit({"early", "h.out", "max-probability", 0.5});
        net.remove_exit("early");
        CHECK(net.exits().empty());
        CHECK(net.nodes().size() == 5);
        CHECK(net.find_parameter("h.weight") == nullptr);
        CHECK(code_of([&] { net.remove_exit("early"); }) == "network/unknown-exit");
    }
}
