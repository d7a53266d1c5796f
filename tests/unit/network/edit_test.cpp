// Editing keeps a network valid, or throws and changes nothing.
#include "network/graph.hpp"
#include "network/operators.hpp"
#include "unit/network/networks.hpp"

#include <cmath>
#include <limits>

using namespace topress;
using test::code_of;
using test::Network;
using test::Role;
using test::tiny_network;

namespace {

std::vector<std::string> node_names(const Network& net) {
    std::vector<std::string> names;
    for (const auto& node : net.nodes()) {
        names.push_back(node.name);
    }
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("edit: a node is inserted directly after the producer of its inputs") {
        Network net = tiny_network();
        net.add_node({"extra", "relu", {"r.out"}, {"extra.out"}, {}});
        CHECK(node_names(net) == Names{"c", "r", "extra", "p", "f", "l"});
        net.replace_input("p", 0, "extra.out");
        CHECK(net.consumers("extra.out").front()->name == "p");
        net.add_node({"end", "relu", {"x"}, {"end.out"}, {}}, true);
        CHECK(node_names(net).back() == "end");
    }

    TEST_CASE("edit: a refused node leaves the network as it was") {
        Network net = tiny_network();
        const auto revision = net.revision();
        CHECK(code_of([&] { net.add_node({"c", "relu", {"x"}, {"y"}, {}}); }) ==
              "network/duplicate-name");
        CHECK(code_of([&] { net.add_node({"n", "relu", {"x"}, {"c.out"}, {}}); }) ==
              "network/duplicate-name");
        CHECK(code_of([&] { net.add_node({"n", "relu", {"nowhere"}, {"y"}, {}}); }) ==
              "network/unknown-value");
        CHECK(code_of([&] { net.add_node({"n", "relu", {"nowhere"}, {"y"}, {}}, true); }) ==
              "network/unknown-value");
        CHECK(code_of([&] { net.add_node({"n", "rleu", {"x"}, {"y"}, {}}); }) ==
              "network/unknown-operator");
        CHECK(code_of([&] { net.add_node({"n", "relu", {"x", "x"}, {"y"}, {}}); }) ==
              "network/bad-node");
        CHECK(code_of([&] { net.add_node({"n", "relu", {"x"}, {}, {}}); }) == "network/bad-node");
        CHECK(code_of([&] { net.add_node({"", "relu", {"x"}, {"y"}, {}}); }) == "network/bad-name");
        CHECK(net.revision() == revision);
        CHECK(net.nodes().size() == 5);
        CHECK_FALSE(net.has_value("y"));
    }

    TEST_CASE("edit: an unknown operator is answered with the nearest name") {
        try {
            static_cast<void>(network::operator_named("conv2"));
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(error.hint().find("conv2d") != std::string::npos);
        }
    }

    TEST_CASE("edit: a node cannot read what is defined after it") {
        Network net = tiny_network();
        CHECK(code_of([&] { net.replace_input("r", 0, "p.out"); }) == "network/unknown-value");
        CHECK(code_of([&] { net.replace_input("r", 0, "r.out"); }) == "network/unknown-value");
        CHECK(code_of([&] { net.replace_input("r", 1, "x"); }) == "network/bad-node");
        CHECK(code_of([&] { net.replace_input("q", 0, "x"); }) == "network/unknown-node");
        CHECK(net.node("r").inputs[0] == "c.out");
    }

    TEST_CASE("edit: a node is removed with the parameters only it used") {
        Network net = tiny_network();
        net.add_node({"c2", "conv2d", {"x", "c.weight"}, {"c2.out"}, {}});
        net.add_parameter("c3.weight", Role::Weight, at::ones({1, 3, 1, 1}));
        net.add_node({"c3", "conv2d", {"x", "c3.weight"}, {"c3.out"}, {}});
        net.remove_node("c3");
        CHECK(net.find_parameter("c3.weight") == nullptr);
        net.remove_node("c2");
        CHECK(net.find_parameter("c.weight") != nullptr);
        CHECK_FALSE(net.has_value("c2.out"));
        net.add_node({"c2", "relu", {"x"}, {"c2.out"}, {}});
        CHECK(net.find_node("c2") != nullptr);
    }

    TEST_CASE("edit: what is used is not removed") {
        Network net = tiny_network();
        CHECK(code_of([&] { net.remove_node("r"); }) == "network/value-in-use");
        CHECK(code_of([&] { net.remove_node("l"); }) == "network/value-in-use");
        net.add_node({"extra", "relu", {"l.out"}, {"extra.out"}, {}});
        net.add_exit({"e", "extra.out", "max-probability", 0.5});
        CHECK(code_of([&] { net.remove_node("extra"); }) == "network/value-in-use");
        net.clear_exits();
        net.remove_node("extra");
        CHECK(net.nodes().size() == 5);
    }

    TEST_CASE("edit: parameters are checked") {
        Network net = tiny_network();
        CHECK(code_of([&] { net.add_parameter("x", Role::Weight, at::ones({1})); }) ==
              "network/duplicate-name");
        CHECK(code_of([&] { net.add_parameter("p", Role::Weight, at::Tensor()); }) ==
              "network/bad-parameter");
        CHECK(code_of([&] { net.set_parameter("c.weigth", at::ones({1})); }) ==
              "network/unknown-parameter");
        const auto revision = net.revision();
        net.set_parameter("c.bias", at::ones({4}));
        CHECK(net.revision() == revision);
        net.set_parameter("c.bias", at::ones({7}));
        CHECK(net.revision() > revision);
        CHECK(network::parse_role("norm") == Role::Norm);
        CHECK(network::to_string(Role::Buffer) == "buffer");
        CHECK(code_of([] { static_cast<void>(network::parse_role("wieght")); }) ==
              "network/unknown-role");
    }

    TEST_CASE("edit: input and output are checked") {
        Network net = tiny_network();
        CHECK(code_of([&] { net.set_output("x"); }) == "network/unknown-value");
        CHECK(code_of([&] { net.set_input({"y", {3, 8, 8}}); }) == "network/value-in-use");
        CHECK(code_of([&] { net.set_input({"x", {3, 0, 8}}); }) == "network/bad-input");
        net.set_input({"x", {3, 9, 9}});
        CHECK(net.input().shape[1] == 9);
    }

    TEST_CASE("edit: exits are kept in the order in which execution reaches them") {
        Network net = test::small_resnet();
        test::attach_exit(net, "late", "stage2.block0.relu2.out", 16, 0.9);
        test::attach_exit(net, "early", "stage1.block0.relu2.out", 8, 0.9);
        test::attach_exit(net, "first", "stem.relu.out", 8, 0.9);
        std::vector<std::string> order;
        for (const auto& exit : net.exits()) {
            order.push_back(exit.name);
        }
        CHECK(order == std::vector<std::string>{"first", "early", "late"});
    }

    TEST_CASE("edit: exits are checked") {
        Network net = tiny_network();
        const double nan = std::numeric_limits<double>::quiet_NaN();
        CHECK(code_of([&] { net.add_exit({"e", "x"}); }) == "network/bad-exit");
        CHECK(code_of([&] { net.add_exit({"e", "l.out", "chance", 0.5}); }) ==
              "network/unknown-criterion");
        CHECK(code_of([&] { net.add_exit({"e", "l.out", "max-probability", nan}); }) ==
              "network/bad-exit");
        net.add_exit({"e", "l.out"});
        CHECK(code_of([&] { net.add_exit({"e", "l.out"}); }) == "network/duplicate-name");
        CHECK(code_of([&] { net.set_exit("f", 0.5, 0.5); }) == "network/unknown-exit");
        CHECK(code_of([&] { net.set_exit("e", 0.5, 1.5); }) == "network/bad-exit");
        net.set_exit("e", 0.7, 0.25);
        CHECK(net.exits()[0].threshold == 0.7);
        CHECK(net.exits()[0].share == 0.25);
    }

    TEST_CASE("edit: a copy shares tensors and a clone does not") {
        Network net = tiny_network();
        const Network copy = net;
        const Network clone = net.clone();
        net.parameter("c.bias").tensor.fill_(42);
        CHECK(copy.parameter("c.bias").tensor[0].item<double>() == 42);
        CHECK(clone.parameter("c.bias").tensor[0].item<double>() != 42);
        net.add_node({"extra", "relu", {"x"}, {"extra.out"}, {}});
        CHECK(copy.find_node("extra") == nullptr);
        CHECK(clone.revision() == copy.revision());
        CHECK(net.revision() != copy.revision());
    }

    TEST_CASE("edit: a clone needs no gradient") {
        Network net = tiny_network();
        net.parameter("c.weight").tensor.set_requires_grad(true);
        CHECK_FALSE(net.clone().parameter("c.weight").tensor.requires_grad());
    }

    TEST_CASE("edit: attributes of another type are refused when read") {
        Network net = tiny_network();
        net.set_attribute("p", "kernel", std::string("two"));
        CHECK(code_of([&] {
                  static_cast<void>(network::ints_attribute(net.node("p"), "kernel", {}));
              }) == "network/bad-attribute");
        CHECK(network::int_attribute(net.node("p"), "absent", 3) == 3);
        net.set_attribute("p", "factor", std::int64_t{2});
        CHECK(network::number_attribute(net.node("p"), "factor", 0) == 2.0);
        CHECK(code_of([&] {
                  static_cast<void>(network::bool_attribute(net.node("p"), "factor", true));
              }) == "network/bad-attribute");
    }
}
