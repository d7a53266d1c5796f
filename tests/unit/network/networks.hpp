// Tiny networks and expectations shared by the tests of core/network.
#pragma once

#include "base/error.hpp"
#include "network/graph.hpp"
#include "zoo/zoo.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace topress::test {

using network::Network;
using network::Role;

/// The code of the Error that `action` throws; empty when it throws none.
inline std::string code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(std::string(error.what()).size() > 10);
        return error.code();
    }
    return "";
}

/// Numbers around 0 that depend on the seed only.
inline at::Tensor random_tensor(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
    at::manual_seed(seed);
    return at::randn(shape);
}

/// x (3, 8, 8) -> conv (4) -> relu -> pool -> flatten -> linear (5): nodes c, r, p, f, l.
inline Network tiny_network(std::uint64_t seed = 1) {
    Network net;
    net.set_input({"x", {3, 8, 8}});
    net.add_parameter("c.weight", Role::Weight, random_tensor({4, 3, 3, 3}, seed));
    net.add_parameter("c.bias", Role::Bias, random_tensor({4}, seed + 1));
    net.add_parameter("l.weight", Role::Weight, random_tensor({5, 64}, seed + 2));
    net.add_parameter("l.bias", Role::Bias, random_tensor({5}, seed + 3));
    net.add_node({"c",
                  "conv2d",
                  {"x", "c.weight", "c.bias"},
                  {"c.out"},
                  {{"padding", std::vector<std::int64_t>{1, 1}}}},
                 true);
    net.add_node({"r", "relu", {"c.out"}, {"r.out"}, {}}, true);
    net.add_node({"p", "max_pool", {"r.out"}, {"p.out"}, {}}, true);
    net.add_node({"f", "flatten", {"p.out"}, {"f.out"}, {}}, true);
    net.add_node({"l", "linear", {"f.out", "l.weight", "l.bias"}, {"l.out"}, {}}, true);
    net.set_output("l.out");
    return net;
}

/// A network of the zoo with batch-norm statistics away from 0 and 1.
inline Network shaken(const zoo::Specification& specification, std::uint64_t seed) {
    auto net = zoo::build(specification, seed);
    at::manual_seed(seed);
    for (const auto& parameter : net.parameters()) {
        if (parameter.role == Role::Buffer || parameter.role == Role::Norm) {
            parameter.tensor.add_(at::rand_like(parameter.tensor), 0.3);
        }
    }
    return net;
}

/// A ResNet-8 of width 8 on 3x16x16 pictures.
inline Network small_resnet(std::uint64_t seed = 1) {
    return shaken({"resnet", 8, 8, 10, {3, 16, 16}}, seed);
}

/// A DenseNet of two layers a block, growth rate 4, on 3x16x16 pictures.
inline Network small_densenet(std::uint64_t seed = 1) {
    return shaken({"densenet", 16, 4, 10, {3, 16, 16}}, seed);
}

/// Attaches pool -> flatten -> linear to `value` and makes it exit `name`.
inline void attach_exit(Network& net,
                        const std::string& name,
                        const std::string& value,
                        std::int64_t channels,
                        double threshold,
                        std::uint64_t seed = 7) {
    net.add_parameter(name + ".weight", Role::Weight, random_tensor({10, channels}, seed));
    net.add_node({name + ".pool", "global_avg_pool", {value}, {name + ".pooled"}, {}});
    net.add_node({name + ".flat", "flatten", {name + ".pooled"}, {name + ".features"}, {}});
    net.add_node({name + ".linear",
                  "linear",
                  {name + ".features", name + ".weight"},
                  {name + ".logits"},
                  {}});
    net.add_exit({name, name + ".logits", "max-probability", threshold});
}

/// Three-exit ResNet: exits after stage 1 and 2.
inline Network resnet_with_exits(double first, double second, std::uint64_t seed = 1) {
    Network net = small_resnet(seed);
    attach_exit(net, "exit1", "stage1.block0.relu2.out", 8, first, seed + 100);
    attach_exit(net, "exit2", "stage2.block0.relu2.out", 16, second, seed + 200);
    return net;
}

/// Inserts a quantize node on input `index` of `node`; scale per tensor.
inline std::string quantize_input(Network& net,
                                  const std::string& node,
                                  std::size_t index,
                                  std::int64_t bits,
                                  bool is_signed,
                                  double scale = 0.05) {
    const std::string name = node + ".q" + std::to_string(index);
    const std::string value = net.node(node).inputs.at(index);
    net.add_parameter(name + ".scale", Role::Scale, at::full({1}, scale));
    net.add_node({name,
                  "quantize",
                  {value, name + ".scale"},
                  {name + ".out"},
                  {{"bits", bits}, {"signed", is_signed}}});
    net.replace_input(node, index, name + ".out");
    return name;
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    REQUIRE(a.sizes() == b.sizes());
    return a.numel() == 0 ? 0.0 : (a - b).abs().max().item<double>();
}

}  // namespace topress::test
