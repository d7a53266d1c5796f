// Reading a network: finding nodes, parameters, producers and readers; copies and devices.
#include "network/graph.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::network {
namespace {

template <class Item>
const Item* find_named(const std::vector<Item>& items, std::string_view name) {
    const auto found = std::find_if(
        items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
    return found == items.end() ? nullptr : &*found;
}

template <class Item>
std::string did_you_mean(const std::vector<Item>& items, std::string_view name) {
    std::vector<std::string> names;
    names.reserve(items.size());
    for (const Item& item : items) {
        names.push_back(item.name);
    }
    const auto near = nearest(name, names);
    return near ? "did you mean '" + *near + "'?" : "";
}

}  // namespace

const Node* Network::find_node(std::string_view name) const {
    return find_named(nodes_, name);
}

const Parameter* Network::find_parameter(std::string_view name) const {
    return find_named(parameters_, name);
}

const Node& Network::node(std::string_view name) const {
    return nodes_[index_of(name)];
}

const Parameter& Network::parameter(std::string_view name) const {
    const Parameter* found = find_parameter(name);
    if (found == nullptr) {
        throw Error("network/unknown-parameter",
                    "the network has no parameter '" + std::string(name) + "'",
                    std::string(name),
                    did_you_mean(parameters_, name));
    }
    return *found;
}

std::size_t Network::index_of(std::string_view name) const {
    const Node* found = find_node(name);
    if (found == nullptr) {
        throw Error("network/unknown-node",
                    "the network has no node '" + std::string(name) + "'",
                    std::string(name),
                    did_you_mean(nodes_, name));
    }
    return static_cast<std::size_t>(found - nodes_.data());
}

const Node* Network::producer(std::string_view value) const {
    const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) {
        return std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end();
    });
    return found == nodes_.end() ? nullptr : &*found;
}

std::vector<const Node*> Network::consumers(std::string_view value) const {
    std::vector<const Node*> found;
    for (const Node& node : nodes_) {
        if (std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end()) {
            found.push_back(&node);
        }
    }
    return found;
}

bool Network::has_value(std::string_view value) const {
    return values_.count(std::string(value)) != 0;
}

Network Network::clone() const {
    Network copy = *this;
    for (Parameter& parameter : copy.parameters_) {
        parameter.tensor = parameter.tensor.detach().clone();
    }
    return copy;
}

void Network::to(at::Device device) {
    for (Parameter& parameter : parameters_) {
        parameter.tensor = parameter.tensor.to(device);
    }
}

}  // namespace topress::network
