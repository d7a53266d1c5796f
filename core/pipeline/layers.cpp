// Entries from the costs of two networks.
#include "pipeline/layers.hpp"

#include "network/cost.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace topress::pipeline {
namespace {

using network::Network;
using network::Node;
using network::NodeCost;

const Node* producer_of(const Network& network, const std::string& value) {
    for (const Node& node : network.nodes()) {
        for (const std::string& output : node.outputs) {
            if (output == value) {
                return &node;
            }
        }
    }
    return nullptr;
}

/// Length of the first axis of the weight, also behind a quantize node.
std::optional<std::int64_t> channels_of(const Network& network, const Node& node) {
    std::string value = node.inputs.at(1);
    for (const Node* maker = producer_of(network, value); maker != nullptr;
         maker = producer_of(network, value)) {
        value = maker->inputs.at(0);
    }
    const network::Parameter* weight = network.find_parameter(value);
    return weight == nullptr ? std::nullopt : std::optional(weight->tensor.size(0));
}

struct Layer {
    std::string op;
    Json figures;
};

/// Names in the order of the network.
std::vector<std::pair<std::string, Layer>> layers_of(const Network& network) {
    std::vector<std::pair<std::string, Layer>> layers;
    for (const NodeCost& cost : network::cost_of(network).nodes) {
        if (cost.macs <= 0) {
            continue;
        }
        const auto channels = channels_of(network, network.node(cost.node));
        Json figures;
        figures["channels"] = channels ? Json(*channels) : Json();
        figures["weight_bits"] = cost.weight_bits;
        figures["activation_bits"] = cost.activation_bits;
        figures["macs"] = number(cost.macs);
        layers.push_back({cost.node, {cost.op, std::move(figures)}});
    }
    return layers;
}

Json entry_of(const std::string& name, const std::string& op, Json before, Json after) {
    Json entry;
    entry["name"] = name;
    entry["op"] = op;
    entry["before"] = std::move(before);
    entry["after"] = std::move(after);
    return entry;
}

}  // namespace

Json compare_layers(const Network& before, const Network& after) {
    const auto old_layers = layers_of(before);
    std::map<std::string, Layer> gone(old_layers.begin(), old_layers.end());
    Json entries = Json::array();
    for (auto& [name, layer] : layers_of(after)) {
        const auto old = gone.extract(name);
        entries.push_back(
            entry_of(name, layer.op, old ? old.mapped().figures : Json(), layer.figures));
    }
    for (const auto& [name, layer] : old_layers) {
        if (gone.contains(name)) {
            entries.push_back(entry_of(name, layer.op, layer.figures, Json()));
        }
    }
    return entries;
}

}  // namespace topress::pipeline
