// Resource hashes of a network.
#include "pipeline/resources.hpp"

#include "base/hash.hpp"

#include <ATen/ATen.h>

namespace topress::pipeline {
namespace {

using network::Network;
using network::Node;
using network::Parameter;
using network::Role;

void add_number(Hasher& hasher, double value) {
    hasher.add(&value, sizeof value);
}

void add_attribute(Hasher& hasher, const network::Attribute& attribute) {
    std::visit(
        [&hasher](const auto& value) {
            using Value = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Value, std::string>) {
                hasher.add(value);
            } else if constexpr (std::is_arithmetic_v<Value>) {
                add_number(hasher, static_cast<double>(value));
            } else {
                for (const auto element : value) {
                    add_number(hasher, static_cast<double>(element));
                }
            }
        },
        attribute);
}

/// Removing channels of a grouped convolution changes `groups`: that is no change of topology.
void add_node(Hasher& hasher, const Network& network, const Node& node, bool see_through) {
    hasher.add(node.name).add(node.op);
    for (const std::string& input : node.inputs) {
        hasher.add(see_through ? unquantized(network, input) : std::string_view(input));
    }
    for (const std::string& output : node.outputs) {
        hasher.add(output);
    }
    for (const auto& [name, value] : node.attributes) {
        if (name != "groups") {
            hasher.add(name);
            add_attribute(hasher, value);
        }
    }
}

void add_tensor(Hasher& hasher, const Parameter& parameter) {
    const at::Tensor plain = parameter.tensor.detach().cpu().contiguous();
    hasher.add(parameter.name).add(plain.const_data_ptr(), plain.nbytes());
}

void add_shape(Hasher& hasher, const Parameter& parameter) {
    hasher.add(parameter.name);
    for (const std::int64_t size : parameter.tensor.sizes()) {
        add_number(hasher, static_cast<double>(size));
    }
}

struct Hashers {
    Hasher topology, channels, weights, statistics, precision, scales, exits, head_weights,
        head_precision;
};

void add_nodes(Hashers& hashers, const Network& network, const std::set<std::string>& main) {
    for (const Node& node : network.nodes()) {
        const bool of_main = main.contains(node.outputs.front());
        if (node.op == "quantize") {
            add_node(of_main ? hashers.precision : hashers.head_precision, network, node, false);
        } else {
            add_node(of_main ? hashers.topology : hashers.exits, network, node, true);
        }
    }
    hashers.topology.add(unquantized(network, network.output()));
}

void add_parameters(Hashers& hashers, const Network& network, const std::set<std::string>& main) {
    for (const Parameter& parameter : network.parameters()) {
        if (parameter.role == Role::Scale) {
            add_tensor(hashers.scales, parameter);
            continue;
        }
        if (!main.contains(parameter.name)) {
            add_tensor(hashers.head_weights, parameter);
            continue;
        }
        add_shape(hashers.channels, parameter);
        add_tensor(parameter.role == Role::Buffer ? hashers.statistics : hashers.weights,
                   parameter);
    }
}

/// The share of an exit is a measurement of the host, so it does not count.
void add_exits(Hashers& hashers, const Network& network) {
    for (const network::Exit& exit : network.exits()) {
        hashers.exits.add(exit.name).add(unquantized(network, exit.logits)).add(exit.criterion);
        add_number(hashers.exits, exit.threshold);
    }
}

}  // namespace

std::set<std::string> main_path(const network::Network& network) {
    std::set<std::string> needed = {network.output()};
    const auto& nodes = network.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        for (const std::string& output : node->outputs) {
            if (needed.contains(output)) {
                needed.insert(node->inputs.begin(), node->inputs.end());
            }
        }
    }
    return needed;
}

std::string_view unquantized(const network::Network& network, std::string_view value) {
    const Node* node = network.producer(value);
    while (node != nullptr && node->op == "quantize") {
        value = node->inputs.front();
        node = network.producer(value);
    }
    return value;
}

ResourceHashes hash_resources(const network::Network& network) {
    Hashers hashers;
    const std::set<std::string> main = main_path(network);
    add_nodes(hashers, network, main);
    add_parameters(hashers, network, main);
    add_exits(hashers, network);
    return {hashers.topology.hex(),
            hashers.channels.hex(),
            hashers.weights.hex(),
            hashers.statistics.hex(),
            hashers.precision.hex(),
            hashers.scales.hex(),
            hashers.exits.hex(),
            hashers.head_weights.hex(),
            hashers.head_precision.hex()};
}

std::vector<std::string> changed_resources(const ResourceHashes& before,
                                           const ResourceHashes& after) {
    std::vector<std::string> changed;
    const bool exits = before.exits != after.exits;
    const bool precision = before.precision != after.precision ||
                           (before.head_precision != after.head_precision && !exits);
    const bool trained = (before.scales != after.scales && !precision && !exits) ||
                         (before.head_weights != after.head_weights && !exits);
    const auto note = [&changed](bool differs, const char* resource) {
        if (differs) {
            changed.emplace_back(resource);
        }
    };
    note(before.topology != after.topology, "topology");
    note(before.channels != after.channels, "channels");
    note(before.weights != after.weights || trained, "weights");
    note(before.statistics != after.statistics, "batch-stats");
    note(precision, "precision");
    note(exits, "exits");
    return changed;
}

std::set<std::string> implied_writes(const std::vector<std::string>& declared) {
    std::set<std::string> writes(declared.begin(), declared.end());
    if (writes.contains("topology")) {
        writes.insert("channels");
    }
    if (writes.contains("channels")) {
        writes.insert({"weights", "batch-stats"});
    }
    return writes;
}

}  // namespace topress::pipeline
