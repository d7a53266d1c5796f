// The network and the task of tiny.hpp.
#include "unit/train/tiny.hpp"

#include "data/random.hpp"

#include <ATen/ATen.h>

#include <vector>

namespace topress::train::test {

namespace {

// Uniform in [-bound, bound), the same on every machine.
at::Tensor uniform(at::IntArrayRef sizes, double bound, data::Random& random) {
    at::Tensor values = at::empty(sizes, at::kFloat);
    float* target = values.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
        const double unit = static_cast<double>(random.next() >> 11U) * 0x1p-53;
        target[i] = static_cast<float>((2 * unit - 1) * bound);
    }
    return values;
}

data::Samples make_samples(std::int64_t count, std::uint64_t seed) {
    data::Random random(seed);
    data::Samples samples{at::empty({count, 1, 8, 8}, at::kByte), at::empty({count}, at::kLong)};
    auto* pixels = samples.images.mutable_data_ptr<std::uint8_t>();
    for (std::int64_t n = 0; n < count; ++n) {
        const std::int64_t label = n % 3;
        samples.labels[n] = label;
        const auto phase = static_cast<std::int64_t>(random.below(2));
        for (std::int64_t i = 0; i < 64; ++i) {
            const std::int64_t row = i / 8;
            const std::int64_t column = i % 8;
            const std::int64_t along = label == 0 ? row : label == 1 ? column : row + column;
            const std::int64_t bright = (along + phase) % 2 * 120;
            pixels[n * 64 + i] =
                static_cast<std::uint8_t>(bright + static_cast<std::int64_t>(random.below(100)));
        }
    }
    return samples;
}

}  // namespace

network::Network tiny_network(std::uint64_t seed, bool exits) {
    using network::Role;
    data::Random random(seed);
    network::Network net;
    net.set_input({"image", {1, 8, 8}});
    net.add_parameter("conv.weight", Role::Weight, uniform({6, 1, 3, 3}, 0.5, random));
    net.add_parameter("bn.gamma", Role::Norm, at::ones({6}));
    net.add_parameter("bn.beta", Role::Norm, at::zeros({6}));
    net.add_parameter("bn.mean", Role::Buffer, at::zeros({6}));
    net.add_parameter("bn.variance", Role::Buffer, at::ones({6}));
    net.add_parameter("linear.weight", Role::Weight, uniform({3, 6}, 0.4, random));
    net.add_parameter("linear.bias", Role::Bias, at::zeros({3}));
    const std::vector<std::int64_t> one = {1, 1};
    net.add_node({"conv", "conv2d", {"image", "conv.weight"}, {"c"}, {{"padding", one}}}, true);
    net.add_node(
        {"bn", "batch_norm", {"c", "bn.gamma", "bn.beta", "bn.mean", "bn.variance"}, {"b"}, {}},
        true);
    net.add_node({"relu", "relu", {"b"}, {"r"}, {}}, true);
    net.add_node({"pool", "global_avg_pool", {"r"}, {"p"}, {}}, true);
    net.add_node({"flatten", "flatten", {"p"}, {"f"}, {}}, true);
    if (exits) {
        net.add_parameter("exit.weight", Role::Weight, uniform({3, 6}, 0.4, random));
        net.add_parameter("exit.bias", Role::Bias, at::zeros({3}));
        net.add_node({"exit", "linear", {"f", "exit.weight", "exit.bias"}, {"e"}, {}}, true);
    }
    net.add_node({"linear", "linear", {"f", "linear.weight", "linear.bias"}, {"y"}, {}}, true);
    net.set_output("y");
    if (exits) {
        network::Exit exit;
        exit.name = "early";
        exit.logits = "e";
        net.add_exit(exit);
    }
    return net;
}

TrainingData stripes(std::uint64_t seed) {
    TrainingData data;
    data.train = make_samples(300, seed);
    data.validation = make_samples(60, seed + 1);
    data.test = make_samples(60, seed + 2);
    data.normalisation = data::measure_normalisation(data.train);
    data.classes = {"rows", "columns", "diagonals"};
    return data;
}

TrainingDefaults defaults() {
    TrainingDefaults defaults;
    defaults.batch_size = 30;
    defaults.learning_rate = 0.2;
    return defaults;
}

bool same_parameters(const network::Network& a, const network::Network& b) {
    for (const network::Parameter& parameter : a.parameters()) {
        if (!at::equal(parameter.tensor, b.parameter(parameter.name).tensor)) {
            return false;
        }
    }
    return a.parameters().size() == b.parameters().size();
}

bool is_plain(const network::Network& network) {
    for (const network::Parameter& parameter : network.parameters()) {
        const at::Tensor& tensor = parameter.tensor;
        if (tensor.requires_grad() || tensor.grad().defined() || !tensor.is_contiguous()) {
            return false;
        }
    }
    return true;
}

}  // namespace topress::train::test
