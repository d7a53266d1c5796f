// Rebuilds a network node by node; constants become parameters on the way.
#include "network/fold.hpp"

#include "network/operators.hpp"
#include "network/operators/builtin.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace topress::network {
namespace {

class Folding {
  public:
    explicit Folding(const Network& network) : from_(network), prefix_(unused_prefix(network)) {
        for (const Parameter& parameter : network.parameters()) {
            constants_[parameter.name] = parameter.tensor.detach();
        }
        for (const Exit& exit : network.exits()) {
            targets_.insert(exit.logits);
        }
        targets_.insert(network.output());
    }

    [[nodiscard]] Network run() {
        result_.set_input(from_.input());
        for (const auto& [name, value] : from_.settings()) {
            result_.set_setting(name, value);
        }
        for (const Node& node : from_.nodes()) {
            take(node);
        }
        for (const Exit& exit : from_.exits()) {
            result_.add_exit(exit);
        }
        result_.set_output(from_.output());
        return std::move(result_);
    }

  private:
    /// No name of the network begins with it, so what is added cannot meet what is there.
    static std::string unused_prefix(const Network& network) {
        std::string prefix = "folded.";
        const auto is_used = [&](const std::string& name) { return name.starts_with(prefix); };
        bool again = true;
        while (again) {
            again = is_used(network.input().name);
            for (const Parameter& parameter : network.parameters()) {
                again = again || is_used(parameter.name);
            }
            for (const Node& node : network.nodes()) {
                again = again || is_used(node.name) || is_used(node.outputs[0]);
            }
            prefix += again ? "_" : "";
        }
        return prefix;
    }

    void take(const Node& node) {
        if (is_folded_.contains(node.name)) {
            return;
        }
        if (is_constant(node)) {
            constants_[node.outputs[0]] = compute(node);
            return;
        }
        if (const Node* norm = norm_after(node)) {
            fold(node, *norm);
            return;
        }
        copy(node);
    }

    /// Operators of plugins are left alone: nobody promises that they give the same every time.
    [[nodiscard]] bool is_constant(const Node& node) const {
        if (targets_.contains(node.outputs[0]) || operator_named(node.op).custom) {
            return false;
        }
        for (const std::string& input : node.inputs) {
            if (!constants_.contains(input)) {
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] at::Tensor compute(const Node& node) const {
        std::vector<at::Tensor> inputs;
        for (const std::string& input : node.inputs) {
            inputs.push_back(constants_.at(input));
        }
        RunMode mode;
        mode.constant_input = true;
        return operator_named(node.op).forward(node, inputs, mode)[0];
    }

    /// The batch norm that alone reads this layer, all of whose numbers are known.
    [[nodiscard]] const Node* norm_after(const Node& node) const {
        const bool is_layer = node.op == "conv2d" || node.op == "linear";
        if (!is_layer || targets_.contains(node.outputs[0]) ||
            !constants_.contains(node.inputs[1]) ||
            (node.inputs.size() > 2 && !constants_.contains(node.inputs[2]))) {
            return nullptr;
        }
        const std::vector<const Node*> readers = from_.consumers(node.outputs[0]);
        if (readers.size() != 1 || readers[0]->op != "batch_norm" ||
            readers[0]->inputs[0] != node.outputs[0]) {
            return nullptr;
        }
        for (std::size_t i = 1; i < readers[0]->inputs.size(); ++i) {
            if (!constants_.contains(readers[0]->inputs[i])) {
                return nullptr;
            }
        }
        return readers[0];
    }

    /// gamma (W x + b - mean) / sqrt(variance + epsilon) + beta as one layer; in double, so that
    /// only the result is rounded.
    void fold(const Node& layer, const Node& norm) {
        const auto known = [&](std::size_t input) {
            return constants_.at(norm.inputs[input]).to(at::kDouble);
        };
        const double epsilon = number_attribute(norm, "epsilon", kDefaultEpsilon);
        const at::Tensor factor = known(1) / (known(4) + epsilon).sqrt();
        const at::Tensor& weight = constants_.at(layer.inputs[1]);
        std::vector<std::int64_t> by_row(static_cast<std::size_t>(weight.dim()), 1);
        by_row[0] = -1;
        at::Tensor shift = known(2) - known(3) * factor;
        if (layer.inputs.size() > 2) {
            shift = shift + constants_.at(layer.inputs[2]).to(at::kDouble) * factor;
        }
        const std::string name = prefix_ + std::to_string(folded_++);
        Node node = layer;
        node.inputs = {layer.inputs[0], name + ".weight", name + ".bias"};
        node.outputs = norm.outputs;
        const at::Tensor scaled = weight.to(at::kDouble) * factor.view(by_row);
        result_.add_parameter(
            node.inputs[1], Role::Weight, scaled.to(weight.scalar_type()).contiguous());
        result_.add_parameter(node.inputs[2], Role::Bias, shift.to(weight.scalar_type()));
        is_folded_.insert(norm.name);
        copy(node);
    }

    void copy(const Node& node) {
        for (const std::string& input : node.inputs) {
            const auto constant = constants_.find(input);
            if (constant != constants_.end() && !result_.has_value(input)) {
                const Parameter* known = from_.find_parameter(input);
                result_.add_parameter(
                    input, known != nullptr ? known->role : Role::Buffer, constant->second);
            }
        }
        result_.add_node(node, true);
    }

    const Network& from_;
    std::string prefix_;
    std::map<std::string, at::Tensor> constants_;  ///< by value: parameters and what follows
    std::set<std::string> targets_;                ///< values that must stay
    std::set<std::string> is_folded_;              ///< batch norms, by node
    std::size_t folded_ = 0;
    Network result_;
};

}  // namespace

Network fold_for_evaluation(const Network& network) {
    const c10::NoGradGuard no_gradients;
    return Folding(network).run();
}

}  // namespace topress::network
