// Network families: structure, initial weights, and what cannot be built.
#include "zoo/zoo.hpp"

#include "base/error.hpp"
#include "config/load.hpp"
#include "network/cost.hpp"
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "network/serialize.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>

using namespace topress;
using network::Network;
using zoo::Specification;

namespace {

constexpr const char* kLarge = "imagenet";

std::string code_of(const Specification& specification) {
    try {
        static_cast<void>(zoo::build(specification, 0));
    } catch (const Error& error) {
        CHECK(std::string(error.what()).size() > 10);
        return error.code();
    }
    return "";
}

std::int64_t count_nodes(const Network& net, const std::string& op) {
    return std::count_if(
        net.nodes().begin(), net.nodes().end(), [&](const auto& node) { return node.op == op; });
}

/// Convolutions on the longest path plus the linear layer: what depth counts.
std::int64_t weighted_layers(const Network& net) {
    return std::count_if(net.nodes().begin(), net.nodes().end(), [](const auto& node) {
        const bool is_shortcut = node.name.find("shortcut") != std::string::npos;
        return !is_shortcut && (node.op == "conv2d" || node.op == "linear");
    });
}

}  // namespace

TEST_SUITE("zoo") {
    TEST_CASE("zoo: depth counts the layers with weights") {
        for (const std::int64_t depth : {8, 14, 18, 20, 34, 50, 56, 101, 110, 152}) {
            CAPTURE(depth);
            CHECK(weighted_layers(zoo::outline({"resnet", depth, 4, 10, {3, 32, 32}})) == depth);
        }
        for (const std::int64_t depth : {11, 13, 16}) {
            CAPTURE(depth);
            // VGG's name counts three linear layers; for small pictures there is one.
            CHECK(weighted_layers(zoo::outline({"vgg", depth, 4, 10, {3, 32, 32}})) == depth - 2);
            CHECK(weighted_layers(zoo::outline({"vgg", depth, 4, 10, {3, 224, 224}, "imagenet"})) ==
                  depth);
        }
        for (const std::int64_t depth : {10, 40, 100}) {
            CAPTURE(depth);
            CHECK(weighted_layers(zoo::outline({"densenet", depth, 4, 10, {3, 32, 32}})) == depth);
        }
    }

    TEST_CASE("zoo: ResNet-20 has the published size with projection shortcuts") {
        const auto cost = network::cost_of(zoo::build({"resnet", 20, 0, 10, {3, 32, 32}}, 0));
        // 269,722 with parameter-free shortcuts; the two projections add 16*32 + 32*64 weights and
        // 2*32 + 2*64 norm values.
        CHECK(cost.parameters == 269722 + 512 + 2048 + 64 + 128);
    }

    TEST_CASE("zoo: MobileNetV2 has the published size") {
        const Network net = zoo::build({"mobilenetv2", 53, 0, 10, {3, 32, 32}}, 0);
        const auto cost = network::cost_of(net);
        CHECK(cost.macs == 91154944);
        CHECK(cost.parameters == 2296922);
        // One more than its name says: here the first block has an expansion too.
        CHECK(weighted_layers(net) == 54);
        // Width 8 is a quarter, in multiples of eight.
        const Network narrow = zoo::build({"mobilenetv2", 53, 8, 10, {1, 28, 28}}, 0);
        CHECK(narrow.parameter("stage4.block0.project.weight").tensor.size(0) == 16);
        CHECK(narrow.parameter("stage1.block0.project.weight").tensor.size(0) == 8);
    }

    TEST_CASE("zoo: DenseNet-BC has the published size") {
        const Network net = zoo::outline({"densenet", 100, 0, 10, {3, 32, 32}});
        CHECK(network::cost_of(net).parameters == 769162);  // 0.8 M in table 2 of the paper
        CHECK(network::cost_of(net).macs == 287929692);
        CHECK(network::cost_of(zoo::outline({"densenet", 40, 0, 10, {3, 32, 32}})).parameters ==
              176122);
        // 24 channels, 16 layers of 12 each, half of them, and so on.
        CHECK(net.parameter("transition1.conv.weight").tensor.sizes() ==
              at::IntArrayRef({108, 216, 1, 1}));
        CHECK(net.parameter("head.linear.weight").tensor.size(1) == 342);
        CHECK(count_nodes(net, "concat") == 48);
    }

    TEST_CASE("zoo: a network without values has the form of the one with them") {
        const Specification specification{"densenet", 10, 4, 10, {3, 32, 32}};
        const Network outline = zoo::outline(specification);
        const Network built = zoo::build(specification, 1);
        REQUIRE(outline.parameters().size() == built.parameters().size());
        for (std::size_t i = 0; i < built.parameters().size(); ++i) {
            const auto& parameter = outline.parameters()[i];
            CHECK(parameter.name == built.parameters()[i].name);
            CHECK(parameter.tensor.is_meta());
            CHECK(parameter.tensor.sizes() == built.parameters()[i].tensor.sizes());
            CHECK(built.parameters()[i].tensor.is_cpu());
        }
        CHECK((outline.settings() == built.settings()));
    }

    TEST_CASE("zoo: names are stable") {
        const Network net = zoo::build({"resnet", 8, 4, 10, {3, 32, 32}}, 0);
        for (const char* name : {"stem.conv",
                                 "stem.relu",
                                 "stage1.block0.conv1",
                                 "stage2.block0.shortcut.bn",
                                 "stage3.block0.add",
                                 "head.pool",
                                 "head.flatten",
                                 "head.linear"}) {
            CAPTURE(name);
            CHECK(net.find_node(name) != nullptr);
        }
        CHECK(net.find_parameter("stage1.block0.conv1.weight") != nullptr);
        CHECK(net.find_node("stage1.block0.shortcut.conv") == nullptr);
    }

    TEST_CASE("zoo: every family runs on its input and gives logits for its classes") {
        for (const auto& specification :
             {Specification{"resnet", 8, 4, 7, {1, 28, 28}},
              Specification{"resnet", 18, 4, 7, {3, 9, 11}},
              Specification{"vgg", 11, 4, 7, {1, 28, 28}},
              Specification{"vgg", 11, 4, 7, {3, 16, 40}},
              Specification{"mobilenetv2", 53, 8, 7, {3, 9, 16}},
              Specification{"vgg", 11, 4, 7, {3, 64, 64}},
              Specification{"resnet", 50, 4, 7, {3, 17, 16}},
              Specification{"resnet", 8, 4, 7, {3, 33, 40}, kLarge},
              Specification{"resnet", 50, 4, 7, {1, 32, 32}, kLarge},
              Specification{"mobilenetv2", 53, 8, 7, {3, 32, 41}, kLarge},
              Specification{"vgg", 11, 1, 7, {3, 224, 224}, kLarge},
              Specification{"vgg", 11, 1, 7, {3, 300, 225}, kLarge},
              Specification{"vgg", 11, 1, 7, {1, 230, 480}, kLarge},
              Specification{"densenet", 10, 3, 7, {1, 28, 28}},
              Specification{"densenet", 22, 1, 7, {3, 5, 9}}}) {
            CAPTURE(specification.family);
            CAPTURE(specification.stem);
            const Network net = zoo::build(specification, 1);
            std::vector<std::int64_t> shape = specification.input_shape;
            CHECK(network::infer_shapes(net).at(net.output()) == network::Shape{7});
            shape.insert(shape.begin(), 2);
            const auto logits = network::forward(net, at::ones(shape), {})[0];
            CHECK(logits.sizes() == at::IntArrayRef({2, 7}));
            CHECK(logits.isfinite().all().item<bool>());
        }
    }

    TEST_CASE("zoo: VGG leaves out the last pool of 28x28 pictures") {
        const Network small = zoo::build({"vgg", 11, 4, 10, {1, 28, 28}}, 0);
        const Network full = zoo::build({"vgg", 11, 4, 10, {1, 32, 32}}, 0);
        CHECK(count_nodes(small, "max_pool") == 4);
        CHECK(count_nodes(full, "max_pool") == 5);
        CHECK(small.parameter("head.linear.weight").tensor.size(1) == 32);
        CHECK(count_nodes(full, "global_avg_pool") == 0);
    }

    TEST_CASE("zoo: equal seeds give equal bytes and other seeds do not") {
        const Specification specification{"resnet", 8, 8, 10, {3, 32, 32}};
        at::manual_seed(1);
        const auto first = network::to_bytes(zoo::build(specification, 42));
        at::manual_seed(2);
        const auto state = at::rand({1}).item<double>();
        at::manual_seed(2);
        const auto second = network::to_bytes(zoo::build(specification, 42));
        CHECK(first == second);
        CHECK(first != network::to_bytes(zoo::build(specification, 43)));
        // Building draws nothing from the global generator.
        CHECK(at::rand({1}).item<double>() == state);
    }

    TEST_CASE("zoo: initial weights have the variance of their layer") {
        const Network net = zoo::build({"resnet", 18, 16, 10, {3, 32, 32}}, 3);
        const auto deviation = [&](const char* name) {
            return net.parameter(name).tensor.std().item<double>();
        };
        CHECK(deviation("stage4.block1.conv2.weight") ==
              doctest::Approx(std::sqrt(2.0 / (128 * 9))).epsilon(0.02));
        CHECK(deviation("stage4.block0.shortcut.conv.weight") ==
              doctest::Approx(std::sqrt(2.0 / 128)).epsilon(0.02));
        const double bound = 1 / std::sqrt(128.0);
        const auto linear = net.parameter("head.linear.weight").tensor.abs().max().item<double>();
        CHECK(linear <= bound);
        CHECK(linear > 0.9 * bound);
        CHECK(net.parameter("stem.bn.gamma").tensor.equal(at::ones({16})));
        CHECK(net.parameter("stem.bn.beta").tensor.equal(at::zeros({16})));
        CHECK(net.parameter("stem.bn.running_var").tensor.equal(at::ones({16})));
        CHECK(net.parameter("stem.bn.running_mean").tensor.equal(at::zeros({16})));
    }

    TEST_CASE("zoo: a network remembers its specification also through a file") {
        const Network net = zoo::build({"vgg", 13, 8, 100, {3, 32, 32}}, 0);
        const Network loaded = network::from_bytes(network::to_bytes(net), "test");
        const Specification found = zoo::specification_of(loaded);
        CHECK(found.family == "vgg");
        CHECK(found.depth == 13);
        CHECK(found.width == 8);
        CHECK(found.classes == 100);
        CHECK(found.input_shape == std::vector<std::int64_t>{3, 32, 32});
        try {
            static_cast<void>(zoo::specification_of(Network{}));
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(error.code() == "zoo/no-family");
        }
    }

    TEST_CASE("zoo: the stem is remembered and a file without one is of a small stem") {
        const Network net = zoo::build({"resnet", 8, 4, 5, {3, 32, 32}, kLarge}, 0);
        Network loaded = network::from_bytes(network::to_bytes(net), "test");
        Specification found = zoo::specification_of(loaded);
        CHECK(found.stem == "imagenet");
        found.depth = 14;
        CHECK(zoo::outline(found).find_node("stem.pool") != nullptr);
        Network old;
        for (const auto& [name, value] : net.settings()) {
            if (name != "stem") {
                old.set_setting(name, value);
            }
        }
        CHECK(zoo::specification_of(old).stem == "small");
    }

    TEST_CASE("zoo: every family builds at its usual depth") {
        for (const std::string& family : zoo::families()) {
            CAPTURE(family);
            const std::int64_t depth = zoo::usual_depth(family, "small");
            CHECK(count_nodes(zoo::outline({family, depth}), "linear") == 1);
        }
        CHECK(zoo::usual_depth("resnet", "imagenet") == 50);
        CHECK(zoo::usual_depth("mobilenetv2", "imagenet") == 53);
    }

    TEST_CASE("zoo: a configuration may name exactly the families") {
        CHECK(zoo::families() == config::LoadOptions{}.architectures);
    }

    TEST_CASE("zoo: the standard width is filled in") {
        CHECK(zoo::specification_of(zoo::build({"resnet", 8, 0, 10, {3, 8, 8}}, 0)).width == 16);
        CHECK(zoo::specification_of(zoo::outline({"densenet", 10})).width == 12);
    }

    TEST_CASE("zoo: what cannot be built is refused with what is possible") {
        CHECK(code_of({"resnat", 20}) == "zoo/unknown-family");
        for (const std::int64_t depth : {-4, 0, 2, 7, 19, 100000}) {
            CAPTURE(depth);
            CHECK(code_of({"resnet", depth}) == "zoo/unsupported-depth");
            CHECK(code_of({"vgg", depth == 19 ? 18 : depth}) == "zoo/unsupported-depth");
        }
        CHECK(code_of({"resnet", 8, 4, 10, {3, 3, 32}}) == "zoo/input-too-small");
        CHECK(code_of({"resnet", 18, 4, 10, {3, 7, 7}}) == "zoo/input-too-small");
        CHECK(code_of({"vgg", 11, 4, 10, {3, 15, 32}}) == "zoo/input-too-small");
        CHECK(code_of({"resnet", 18, 4, 10, {3, 31, 99}, kLarge}) == "zoo/input-too-small");
        CHECK(code_of({"mobilenetv2", 53, 8, 10, {3, 31, 99}, kLarge}) == "zoo/input-too-small");
        CHECK(code_of({"vgg", 11, 4, 10, {3, 223, 224}, kLarge}) == "zoo/input-too-small");
        CHECK(code_of({"densenet", 10, 4, 10, {3, 3, 32}}) == "zoo/input-too-small");
        CHECK(code_of({"densenet", 12}) == "zoo/unsupported-depth");
        CHECK(code_of({"densenet", 4}) == "zoo/unsupported-depth");
        CHECK(code_of({"densenet", 10, 4, 10, {3, 64, 64}, kLarge}) == "zoo/bad-specification");
        CHECK(code_of({"resnet", 8, 4, 10, {3, 32, 32}, "huge"}) == "zoo/bad-specification");
        CHECK(code_of({"resnet", 8, -1, 10, {3, 32, 32}}) == "zoo/bad-specification");
        CHECK(code_of({"resnet", 8, 4, 0, {3, 32, 32}}) == "zoo/bad-specification");
        CHECK(code_of({"resnet", 8, 4, 10, {32, 32}}) == "zoo/bad-specification");
        try {
            static_cast<void>(zoo::build({"resnet", 21}, 0));
        } catch (const Error& error) {
            CHECK(error.hint().find("6n+2") != std::string::npos);
        }
    }
}
