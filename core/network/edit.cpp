// Building and editing a network: every function leaves a valid graph or throws and changes
// nothing.
#include "base/error.hpp"
#include "base/suggest.hpp"
#include "network/graph.hpp"
#include "network/operators.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace topress::network {
namespace {

std::uint64_t next_revision() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

bool reads(const Node& node, const std::string& value) {
    return std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end();
}

void check_name(const std::string& name, const char* what) {
    if (!is_valid_name(name)) {
        throw Error("network/bad-name",
                    std::string(what) + " name '" + name.substr(0, 40) + "' is not usable",
                    "",
                    "use 1 to 256 printable ASCII characters");
    }
}

[[noreturn]] void throw_duplicate(const char* what, const std::string& name) {
    throw Error("network/duplicate-name",
                "the network already has " + std::string(what) + " '" + name + "'",
                name,
                "choose another name");
}

void check_input(const Input& input) {
    constexpr std::int64_t kMaximumSize = std::int64_t{1} << 20;
    const bool sane = !input.shape.empty() && input.shape.size() <= 4 &&
                      std::all_of(input.shape.begin(), input.shape.end(), [](std::int64_t size) {
                          return size >= 1 && size <= kMaximumSize;
                      });
    if (!sane) {
        throw Error("network/bad-input",
                    "the input shape needs 1 to 4 sizes between 1 and 1048576",
                    input.name);
    }
}

void check_share(const std::string& exit, double threshold, double share) {
    if (!std::isfinite(threshold)) {
        throw Error("network/bad-exit", "the threshold of exit '" + exit + "' is not finite", exit);
    }
    if (!std::isnan(share) && !(share >= 0 && share <= 1)) {
        throw Error(
            "network/bad-exit",
            "the share of exit '" + exit + "' is " + std::to_string(share) + ", outside 0 to 1",
            exit);
    }
}

void check_criterion(const Exit& exit) {
    const auto known = exit_criteria();
    if (std::find(known.begin(), known.end(), exit.criterion) == known.end()) {
        throw Error("network/unknown-criterion",
                    "exit '" + exit.name + "' has the unknown criterion '" + exit.criterion + "'",
                    exit.name,
                    "known criteria: " + known.front());
    }
}

}  // namespace

void Network::touch() {
    revision_ = next_revision();
}

void Network::claim_value(const std::string& name) {
    check_name(name, "value");
    if (!values_.insert(name).second) {
        throw_duplicate("a value", name);
    }
}

std::size_t Network::defined_at(const std::string& value, const std::string& reader) const {
    if (const Node* from = producer(value)) {
        return static_cast<std::size_t>(from - nodes_.data()) + 1;
    }
    if (!has_value(value)) {
        throw Error("network/unknown-value",
                    "node '" + reader + "' reads '" + value + "', which nothing defines",
                    reader,
                    "define the input, parameter or node first");
    }
    return 0;
}

void Network::set_input(Input input) {
    check_input(input);
    if (input.name != input_.name) {
        if (!input_.name.empty() && !consumers(input_.name).empty()) {
            throw Error("network/value-in-use",
                        "input '" + input_.name + "' is read and cannot be renamed",
                        input_.name);
        }
        claim_value(input.name);
        values_.erase(input_.name);
    }
    input_ = std::move(input);
    touch();
}

void Network::set_output(std::string value) {
    if (producer(value) == nullptr) {
        throw Error(
            "network/unknown-value", "the output '" + value + "' is produced by no node", value);
    }
    output_ = std::move(value);
    touch();
}

void Network::set_setting(const std::string& name, Attribute value) {
    check_name(name, "setting");
    settings_[name] = std::move(value);
}

Parameter& Network::add_parameter(std::string name, Role role, at::Tensor tensor) {
    if (!tensor.defined()) {
        throw Error("network/bad-parameter", "parameter '" + name + "' has no tensor", name);
    }
    claim_value(name);
    touch();
    return parameters_.emplace_back(Parameter{std::move(name), role, std::move(tensor)});
}

void Network::set_parameter(std::string_view name, at::Tensor tensor) {
    auto& old = parameters_[static_cast<std::size_t>(&parameter(name) - parameters_.data())].tensor;
    if (!tensor.defined()) {
        throw Error("network/bad-parameter",
                    "parameter '" + std::string(name) + "' is given no tensor",
                    std::string(name));
    }
    const bool same_form = old.sizes() == tensor.sizes() && old.dtype() == tensor.dtype();
    old = std::move(tensor);
    if (!same_form) {
        touch();
    }
}

void Network::check_new_node(const Node& node) const {
    check_name(node.name, "node");
    if (node_names_.count(node.name) != 0) {
        throw_duplicate("a node", node.name);
    }
    const Operator& op = operator_named(node.op);
    const std::size_t count = node.inputs.size();
    if (count < op.minimum_inputs || count > op.maximum_inputs || node.outputs.size() != 1) {
        throw Error("network/bad-node",
                    "node '" + node.name + "' (" + node.op + ") has " + std::to_string(count) +
                        " inputs and " + std::to_string(node.outputs.size()) + " outputs",
                    node.name,
                    "it takes " + std::to_string(op.minimum_inputs) + " to " +
                        std::to_string(op.maximum_inputs) + " inputs and gives 1 output");
    }
    check_name(node.outputs[0], "value");
    if (has_value(node.outputs[0])) {
        throw_duplicate("a value", node.outputs[0]);
    }
}

void Network::add_node(Node node, bool append) {
    check_new_node(node);
    std::size_t position = 0;
    for (const std::string& input : node.inputs) {
        // At the end every value is defined: the cheap test keeps building a long network linear.
        const bool skip = append && has_value(input);
        position = skip ? position : std::max(position, defined_at(input, node.name));
    }
    if (append) {
        position = nodes_.size();
    }
    claim_value(node.outputs[0]);
    node_names_.insert(node.name);
    nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(position), std::move(node));
    touch();
}

void Network::replace_input(std::string_view name, std::size_t index, const std::string& value) {
    const std::size_t position = index_of(name);
    Node& node = nodes_[position];
    if (index >= node.inputs.size()) {
        throw Error("network/bad-node",
                    "node '" + node.name + "' has no input " + std::to_string(index),
                    node.name,
                    "it has " + std::to_string(node.inputs.size()));
    }
    if (defined_at(value, node.name) > position) {
        throw Error("network/unknown-value",
                    "node '" + node.name + "' would read '" + value + "' before it is defined",
                    node.name);
    }
    node.inputs[index] = value;
    touch();
}

void Network::replace_uses(const std::string& value, const std::string& with) {
    if (!has_value(value)) {
        throw Error("network/unknown-value", "the network has no value '" + value + "'", value);
    }
    const std::size_t defined = defined_at(with, value);
    const auto makers = needed_for({with});
    std::vector<Node*> readers;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (!reads(nodes_[i], value) || makers.count(nodes_[i].outputs[0]) != 0) {
            continue;
        }
        if (i < defined) {
            throw Error(
                "network/unknown-value",
                "node '" + nodes_[i].name + "' would read '" + with + "' before it is defined",
                nodes_[i].name);
        }
        readers.push_back(&nodes_[i]);
    }
    const auto left_by = [&](const Exit& exit) { return exit.logits == value; };
    const bool is_output = output_ == value || std::any_of(exits_.begin(), exits_.end(), left_by);
    if (is_output && producer(with) == nullptr) {
        throw Error(
            "network/bad-exit", "no node produces '" + with + "', an output needs one", with);
    }
    for (Node* node : readers) {
        std::replace(node->inputs.begin(), node->inputs.end(), value, with);
    }
    for (Exit& exit : exits_) {
        exit.logits = exit.logits == value ? with : exit.logits;
    }
    std::stable_sort(exits_.begin(), exits_.end(), [this](const Exit& a, const Exit& b) {
        return producer(a.logits) < producer(b.logits);
    });
    output_ = output_ == value ? with : output_;
    touch();
}

void Network::set_attribute(std::string_view node, const std::string& name, Attribute value) {
    check_name(name, "attribute");
    nodes_[index_of(node)].attributes[name] = std::move(value);
    touch();
}

void Network::remove_node(std::string_view name) {
    const std::size_t position = index_of(name);
    const Node node = nodes_[position];
    for (const std::string& value : node.outputs) {
        const bool left_by = std::any_of(
            exits_.begin(), exits_.end(), [&](const Exit& exit) { return exit.logits == value; });
        if (left_by || value == output_ || !consumers(value).empty()) {
            throw Error("network/value-in-use",
                        "node '" + node.name + "' cannot be removed: '" + value + "' is used",
                        node.name,
                        "give its readers another input first");
        }
        values_.erase(value);
    }
    node_names_.erase(node.name);
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(position));
    std::erase_if(parameters_, [&](const Parameter& parameter) {
        const bool orphan = reads(node, parameter.name) && consumers(parameter.name).empty();
        return orphan && values_.erase(parameter.name) != 0;
    });
    touch();
}

void Network::add_exit(Exit exit) {
    check_name(exit.name, "exit");
    check_share(exit.name, exit.threshold, exit.share);
    check_criterion(exit);
    if (std::any_of(
            exits_.begin(), exits_.end(), [&](const Exit& e) { return e.name == exit.name; })) {
        throw_duplicate("an exit", exit.name);
    }
    const Node* from = producer(exit.logits);
    if (from == nullptr) {
        throw Error("network/bad-exit",
                    "exit '" + exit.name + "' reads '" + exit.logits + "', which no node produces",
                    exit.name);
    }
    const auto later = [this](const Node* node, const Exit& other) {
        return node < producer(other.logits);
    };
    const auto place = std::upper_bound(exits_.begin(), exits_.end(), from, later);
    exits_.insert(place, std::move(exit));
    touch();
}

void Network::set_exit(std::string_view name, double threshold, double share) {
    const auto found = std::find_if(
        exits_.begin(), exits_.end(), [&](const Exit& exit) { return exit.name == name; });
    if (found == exits_.end()) {
        throw Error("network/unknown-exit",
                    "the network has no exit '" + std::string(name) + "'",
                    std::string(name));
    }
    check_share(found->name, threshold, share);
    found->threshold = threshold;
    found->share = share;
    touch();
}

std::unordered_set<std::string> Network::needed_for(const std::vector<std::string>& values) const {
    std::unordered_set<std::string> needed(values.begin(), values.end());
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
        if (needed.count(node->outputs[0]) != 0) {
            needed.insert(node->inputs.begin(), node->inputs.end());
        }
    }
    return needed;
}

void Network::remove_exit(std::string_view name) {
    const auto found = std::find_if(
        exits_.begin(), exits_.end(), [&](const Exit& exit) { return exit.name == name; });
    if (found == exits_.end()) {
        throw Error("network/unknown-exit",
                    "the network has no exit '" + std::string(name) + "'",
                    std::string(name));
    }
    const auto head = needed_for({found->logits});
    exits_.erase(found);
    std::vector<std::string> outputs{output_};
    for (const Exit& exit : exits_) {
        outputs.push_back(exit.logits);
    }
    const auto needed = needed_for(outputs);
    touch();
    for (std::size_t i = nodes_.size(); i-- > 0;) {  // readers before what they read
        const std::string value = nodes_[i].outputs[0];
        if (head.count(value) != 0 && needed.count(value) == 0 && consumers(value).empty()) {
            remove_node(nodes_[i].name);
        }
    }
}

void Network::clear_exits() {
    exits_.clear();
    touch();
}

}  // namespace topress::network
