// Cost by formula: multiply-accumulates, bit operations, parameters and stored bytes of every node.
#include "network/cost.hpp"

#include "network/custom.hpp"
#include "network/operators.hpp"
#include "network/plan.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace topress::network {
namespace {

constexpr double kFloatBytes = 4;

/// Follows a value to the quantize node behind it; `producer_of` finds the node of a value,
/// `shapes_of` the shapes of several. A custom operator says the precision of its output itself.
template <class ProducerOf, class ShapesOf>
Precision find_precision(const std::string& value,
                         const ProducerOf& producer_of,
                         const ShapesOf& shapes_of) {
    const Node* from = producer_of(value);
    while (from != nullptr && (from->op == "max_pool" || from->op == "flatten")) {
        from = producer_of(from->inputs[0]);
    }
    if (from == nullptr) {
        return {};
    }
    if (const auto& custom = operator_named(from->op).custom; custom && custom->cost) {
        const int bits =
            custom->cost(*from, shapes_of(from->inputs), shapes_of(from->outputs)).output_bits;
        return bits > 0 ? Precision{bits, true} : Precision{};
    }
    if (from->op != "quantize") {
        return {};
    }
    return {static_cast<int>(int_attribute(*from, "bits", 8)),
            bool_attribute(*from, "signed", true)};
}

/// Share of all samples that run each node: those that left at no exit before its segment.
std::vector<double> reach_of_nodes(const Network& network, const Plan& plan) {
    std::vector<double> reach(network.nodes().size(), 0.0);
    double arriving = 1;
    std::size_t step = 0;
    for (std::size_t segment = 0; segment < plan.segments.size(); ++segment) {
        for (; step < plan.segments[segment].end; ++step) {
            reach[plan.steps[step].node] = arriving;
        }
        if (segment < network.exits().size()) {
            const double share = network.exits()[segment].share;
            arriving = std::max(0.0, arriving - (std::isnan(share) ? 0.0 : share));
        }
    }
    return reach;
}

/// Nodes that run when a sample goes through to the end.
std::vector<bool> used_nodes(const Network& network, const Plan& plan) {
    std::vector<bool> used(network.nodes().size(), false);
    for (const Step& step : plan.steps) {
        used[step.node] = true;
    }
    return used;
}

class CostWalk {
  public:
    explicit CostWalk(const Network& network)
        : network_(network), shapes_(infer_shapes(network)), plan_(plan_of(network)) {
        for (const Node& node : network.nodes()) {
            for (const std::string& output : node.outputs) {
                producers_[output] = &node;
            }
        }
        for (const Parameter& parameter : network.parameters()) {
            parameters_[parameter.name] = &parameter;
        }
        measure_weight_bits();
    }

    [[nodiscard]] Cost total() {
        const auto reach = reach_of_nodes(network_, *plan_);
        const auto used = used_nodes(network_, *plan_);
        Cost cost;
        for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
            NodeCost node = compute(network_.nodes()[i]);
            node.reach = reach[i];
            if (used[i]) {
                cost.macs += node.macs;
                cost.bitops += node.bitops;
            }
            cost.expected_macs += node.macs * node.reach;
            cost.expected_bitops += node.bitops * node.reach;
            cost.nodes.push_back(std::move(node));
        }
        for (const Parameter& parameter : network_.parameters()) {
            cost.parameters += counted_elements(parameter);
            cost.stored_bytes += stored_bytes(parameter);
        }
        return cost;
    }

  private:
    [[nodiscard]] Precision precision(const std::string& value) const {
        return find_precision(
            value,
            [this](const std::string& name) {
                const auto found = producers_.find(name);
                return found == producers_.end() ? nullptr : found->second;
            },
            [this](const std::vector<std::string>& names) { return shapes_of(names); });
    }

    /// Bits at which a parameter is stored: the finest of its readers; 32 when one reads it as it
    /// is.
    void measure_weight_bits() {
        for (const Node& node : network_.nodes()) {
            const int bits =
                node.op == "quantize" ? static_cast<int>(int_attribute(node, "bits", 8)) : 32;
            for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                if (parameters_.count(node.inputs[i]) != 0) {
                    int& stored = stored_bits_[node.inputs[i]];
                    stored = std::max(stored, i == 0 ? bits : 32);
                }
            }
        }
    }

    [[nodiscard]] static double counted_elements(const Parameter& parameter) {
        const bool is_counted = parameter.role != Role::Buffer && parameter.role != Role::Scale;
        return is_counted ? static_cast<double>(parameter.tensor.numel()) : 0.0;
    }

    [[nodiscard]] double stored_bytes(const Parameter& parameter) const {
        const auto elements = static_cast<double>(parameter.tensor.numel());
        if (parameter.role != Role::Weight) {
            return elements * kFloatBytes;
        }
        const auto found = stored_bits_.find(parameter.name);
        const int bits = found == stored_bits_.end() ? 32 : found->second;
        return std::ceil(elements * bits / 8.0);
    }

    /// The parameters behind an input: itself, or what a quantize node makes of it. The scale stays
    /// with the quantize node.
    [[nodiscard]] const Parameter* parameter_behind(const std::string& input) const {
        const auto found = parameters_.find(input);
        if (found != parameters_.end()) {
            return found->second;
        }
        const auto from = producers_.find(input);
        return from != producers_.end() && from->second->op == "quantize"
                   ? parameter_behind_quantize(*from->second)
                   : nullptr;
    }

    [[nodiscard]] const Parameter* parameter_behind_quantize(const Node& quantize) const {
        const auto found = parameters_.find(quantize.inputs[0]);
        return found == parameters_.end() ? nullptr : found->second;
    }

    /// A shared parameter counts at its first reader.
    void add_parameters(const Node& node, NodeCost& cost) {
        const std::size_t first =
            node.op == "quantize" && parameters_.count(node.inputs[0]) != 0 ? 1 : 0;
        for (std::size_t i = first; i < node.inputs.size(); ++i) {
            const Parameter* parameter = parameter_behind(node.inputs[i]);
            if (parameter != nullptr && is_counted_.insert(parameter->name).second) {
                cost.parameters += counted_elements(*parameter);
                cost.stored_bytes += stored_bytes(*parameter);
            }
        }
    }

    [[nodiscard]] NodeCost compute(const Node& node) {
        NodeCost cost;
        cost.node = node.name;
        cost.op = node.op;
        cost.activation_bits = precision(node.inputs[0]).bits;
        add_parameters(node, cost);
        const Operator& op = operator_named(node.op);
        if (op.custom && op.custom->cost) {
            const CustomCost own =
                op.custom->cost(node, shapes_of(node.inputs), shapes_of(node.outputs));
            cost.weight_bits = own.weight_bits > 0 ? own.weight_bits : cost.weight_bits;
            cost.activation_bits =
                own.activation_bits > 0 ? own.activation_bits : cost.activation_bits;
            cost.macs = own.macs;
            cost.bitops = cost.macs * cost.weight_bits * cost.activation_bits;
        } else if (op.macs) {
            cost.weight_bits = precision(node.inputs[1]).bits;
            cost.macs = op.macs(node, shapes_of(node.inputs), shapes_of(node.outputs));
            cost.bitops = cost.macs * cost.weight_bits * cost.activation_bits;
        }
        return cost;
    }

    [[nodiscard]] std::vector<Shape> shapes_of(const std::vector<std::string>& values) const {
        std::vector<Shape> shapes;
        for (const std::string& value : values) {
            shapes.push_back(shapes_.at(value));
        }
        return shapes;
    }

    const Network& network_;
    std::map<std::string, Shape> shapes_;
    std::shared_ptr<const Plan> plan_;
    std::unordered_map<std::string, const Node*> producers_;
    std::unordered_map<std::string, const Parameter*> parameters_;
    std::unordered_map<std::string, int> stored_bits_;
    std::unordered_set<std::string> is_counted_;
};

}  // namespace

Cost cost_of(const Network& network) {
    return CostWalk(network).total();
}

Precision precision_of(const Network& network, const std::string& value) {
    return find_precision(
        value,
        [&](const std::string& name) { return network.producer(name); },
        [&](const std::vector<std::string>& names) {
            const auto shapes = infer_shapes(network);
            std::vector<Shape> found;
            for (const std::string& name : names) {
                found.push_back(shapes.at(name));
            }
            return found;
        });
}

}  // namespace topress::network
