// Tiny networks, layer by layer.
#include "conformance/networks.hpp"

#include "data/random.hpp"
#include "zoo/zoo.hpp"

#include <ATen/ATen.h>

namespace topress::conformance {
namespace {

using network::Network;
using network::Role;
using Integers = std::vector<std::int64_t>;

/// Adds layers one after the other; parameters come from the seed alone.
class Layers {
  public:
    explicit Layers(std::uint64_t seed) : random_(seed) {
        network_.set_input({"image", {kPictureChannels, kPictureSide, kPictureSide}});
    }

    Layers& convolve(const std::string& name,
                     std::int64_t out,
                     std::int64_t kernel,
                     std::int64_t groups = 1,
                     bool has_bias = false) {
        const std::int64_t in = channels_ / groups;
        std::vector<std::string> inputs = {value_, name + ".weight"};
        network_.add_parameter(
            name + ".weight",
            Role::Weight,
            uniform({out, in, kernel, kernel}, 1.0 / static_cast<double>(in * kernel)));
        if (has_bias) {
            network_.add_parameter(name + ".bias", Role::Bias, uniform({out}, 0.1));
            inputs.push_back(name + ".bias");
        }
        channels_ = out;
        const std::int64_t padding = kernel / 2;
        return add(name,
                   "conv2d",
                   std::move(inputs),
                   {{"padding", Integers{padding, padding}}, {"groups", groups}});
    }

    Layers& batch_norm(const std::string& name) {
        const auto parameter = [&](const char* suffix, Role role, double value, double spread) {
            network_.add_parameter(name + suffix, role, uniform({channels_}, spread).add_(value));
            return name + suffix;
        };
        return add(name,
                   "batch_norm",
                   {value_,
                    parameter(".gamma", Role::Norm, 1.0, 0.3),
                    parameter(".beta", Role::Norm, 0.0, 0.1),
                    parameter(".mean", Role::Buffer, 0.0, 0.1),
                    parameter(".variance", Role::Buffer, 1.0, 0.3)});
    }

    Layers& relu(const std::string& name) { return add(name, "relu", {value_}); }

    Layers& max_pool(const std::string& name) {
        side_ /= 2;
        return add(
            name, "max_pool", {value_}, {{"kernel", Integers{2, 2}}, {"stride", Integers{2, 2}}});
    }

    Layers& global_pool(const std::string& name) {
        side_ = 1;
        return add(name, "global_avg_pool", {value_});
    }

    Layers& flatten(const std::string& name) {
        channels_ *= side_ * side_;
        side_ = 1;
        return add(name, "flatten", {value_});
    }

    /// Puts the channels of an earlier value before those of the last.
    Layers& join(const std::string& name, const std::string& value, std::int64_t channels) {
        channels_ += channels;
        return add(name, "concat", {value, value_});
    }

    Layers& linear(const std::string& name, std::int64_t out) {
        network_.add_parameter(name + ".weight",
                               Role::Weight,
                               uniform({out, channels_}, 2.0 / static_cast<double>(channels_)));
        network_.add_parameter(name + ".bias", Role::Bias, uniform({out}, 0.1));
        channels_ = out;
        return add(name, "linear", {value_, name + ".weight", name + ".bias"});
    }

    Network finish() {
        network_.set_output(value_);
        return std::move(network_);
    }

  private:
    Layers& add(const std::string& name,
                const char* op,
                std::vector<std::string> inputs,
                network::Attributes attributes = {}) {
        network_.add_node({name, op, std::move(inputs), {name + ".out"}, std::move(attributes)},
                          true);
        value_ = name + ".out";
        return *this;
    }

    /// Uniform in [-bound, bound), the same on every machine.
    at::Tensor uniform(at::IntArrayRef sizes, double bound) {
        at::Tensor values = at::empty(sizes, at::kFloat);
        float* target = values.mutable_data_ptr<float>();
        for (std::int64_t i = 0; i < values.numel(); ++i) {
            const double unit = static_cast<double>(random_.next() >> 11U) * 0x1p-53;
            target[i] = static_cast<float>((2 * unit - 1) * bound);
        }
        return values;
    }

    data::Random random_;
    Network network_;
    std::string value_ = "image";
    std::int64_t channels_ = kPictureChannels;
    std::int64_t side_ = kPictureSide;
};

/// What input `index` of the node reads becomes a 4 bit value. The name by value: editing moves
/// nodes.
void quantize(Network& network, const std::string& node, std::size_t index, bool is_signed) {
    const std::string value = network.node(node).inputs.at(index);
    const std::string name = node + ".quantize" + std::to_string(index);
    network.add_parameter(name + ".scale", Role::Scale, at::full({1}, 0.1));
    network.add_node(
        {name,
         "quantize",
         {value, name + ".scale"},
         {name + ".out"},
         {{"bits", std::int64_t{4}}, {"signed", is_signed}, {"axis", std::int64_t{-1}}}});
    network.replace_input(node, index, name + ".out");
}

Network resnet(std::int64_t depth, std::int64_t width, std::uint64_t seed) {
    return zoo::build({.family = "resnet",
                       .depth = depth,
                       .width = width,
                       .classes = kClasses,
                       .input_shape = {kPictureChannels, kPictureSide, kPictureSide}},
                      seed);
}

}  // namespace

Network plain_network(std::uint64_t seed) {
    Layers layers(seed);
    layers.convolve("conv1", 7, 3).batch_norm("norm1").relu("relu1").max_pool("pool1");
    layers.convolve("conv2", 13, 3).batch_norm("norm2").relu("relu2");
    return layers.global_pool("pool2").flatten("flatten").linear("linear", kClasses).finish();
}

Network residual_network(std::uint64_t seed) {
    return resnet(14, 4, seed);
}

Network wide_network(std::uint64_t seed) {
    return resnet(8, 16, seed);
}

Network depthwise_network(std::uint64_t seed) {
    Layers layers(seed);
    layers.convolve("stem", 8, 3).batch_norm("stem.norm").relu("stem.relu");
    layers.convolve("depthwise", 8, 3, 8).batch_norm("depthwise.norm").relu("depthwise.relu");
    layers.convolve("pointwise", 12, 1).batch_norm("pointwise.norm").relu("pointwise.relu");
    return layers.global_pool("pool").flatten("flatten").linear("linear", kClasses).finish();
}

Network joined_network(std::uint64_t seed) {
    Layers layers(seed);
    layers.convolve("conv1", 8, 3).batch_norm("norm1").relu("relu1");
    layers.convolve("conv2", 6, 3).batch_norm("norm2").relu("relu2");
    layers.join("joined", "relu1.out", 8).batch_norm("norm3").relu("relu3");
    layers.convolve("conv3", 12, 1).batch_norm("norm4").relu("relu4");
    return layers.global_pool("pool").flatten("flatten").linear("linear", kClasses).finish();
}

Network network_without_batch_norm(std::uint64_t seed) {
    Layers layers(seed);
    layers.convolve("conv1", 8, 3, 1, true).relu("relu1").max_pool("pool1");
    layers.convolve("conv2", 6, 3, 1, true).relu("relu2").max_pool("pool2").flatten("flatten");
    return layers.linear("linear1", 10).relu("relu3").linear("linear2", kClasses).finish();
}

Network network_with_exit(std::uint64_t seed) {
    Network network = residual_network(seed);
    const std::string value = "stage1.block1.relu2.out";
    network.add_parameter("early.weight", Role::Weight, at::full({kClasses, 4}, 0.1));
    network.add_parameter("early.bias", Role::Bias, at::arange(kClasses).to(at::kFloat).mul(0.01));
    network.add_node({"early.pool", "global_avg_pool", {value}, {"early.pool.out"}, {}});
    network.add_node({"early.flatten", "flatten", {"early.pool.out"}, {"early.flatten.out"}, {}});
    network.add_node({"early.linear",
                      "linear",
                      {"early.flatten.out", "early.weight", "early.bias"},
                      {"early.logits"},
                      {}});
    network::Exit exit;
    exit.name = "early";
    exit.logits = "early.logits";
    exit.threshold = 0.9;
    network.add_exit(exit);
    return network;
}

Network quantized_network(std::uint64_t seed) {
    Network network = plain_network(seed);
    for (const char* node : {"conv1", "conv2", "linear"}) {
        quantize(network, node, 0, std::string_view(node) == "conv1");
        quantize(network, node, 1, true);
    }
    return network;
}

Network bare_network(std::uint64_t seed) {
    return Layers(seed).flatten("flatten").linear("linear", kClasses).finish();
}

std::vector<TinyNetwork> tiny_networks(std::uint64_t seed) {
    return {{"plain", plain_network(seed)},
            {"residual", residual_network(seed)},
            {"depthwise", depthwise_network(seed)},
            {"without batch norm", network_without_batch_norm(seed)},
            {"with an exit", network_with_exit(seed)},
            {"quantized", quantized_network(seed)}};
}

}  // namespace topress::conformance
