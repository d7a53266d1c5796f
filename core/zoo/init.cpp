// Gives the parameters of a freshly built network memory and values, from one seeded generator.
#include "zoo/init.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

namespace topress::zoo {
namespace {

using network::Network;
using network::Node;

at::Tensor tensor_of(const Network& network, const std::string& name) {
    return network.parameter(name).tensor;
}

void initialise_convolution(const Network& network, const Node& node, const at::Generator& random) {
    const at::Tensor weight = tensor_of(network, node.inputs[1]);
    const auto fan_out = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3));
    weight.normal_(0.0, std::sqrt(2.0 / fan_out), random);
}

void initialise_linear(const Network& network, const Node& node, const at::Generator& random) {
    const at::Tensor weight = tensor_of(network, node.inputs[1]);
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight.size(1)));
    weight.uniform_(-bound, bound, random);
    tensor_of(network, node.inputs[2]).uniform_(-bound, bound, random);
}

void initialise_batch_norm(const Network& network, const Node& node) {
    tensor_of(network, node.inputs[1]).fill_(1);  // gamma
    tensor_of(network, node.inputs[4]).fill_(1);  // running variance
}

}  // namespace

void initialise(Network& network, std::uint64_t seed) {
    for (const network::Parameter& parameter : network.parameters()) {
        network.set_parameter(parameter.name, at::zeros(parameter.tensor.sizes()));
    }
    const at::Generator random = at::detail::createCPUGenerator(seed);
    for (const Node& node : network.nodes()) {
        if (node.op == "conv2d") {
            initialise_convolution(network, node, random);
        } else if (node.op == "linear") {
            initialise_linear(network, node, random);
        } else if (node.op == "batch_norm") {
            initialise_batch_norm(network, node);
        }
    }
}

}  // namespace topress::zoo
