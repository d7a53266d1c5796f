// Planning and replacing layers.
#include "lowrank.hpp"

#include "factorise.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace example::lowrank {

namespace {

using topress::Attributes;
using topress::Context;
using topress::Model;
using topress::NodeView;
using Pair = std::vector<std::int64_t>;

Pair pair_of(const Model& model,
             const std::string& node,
             const char* name,
             std::int64_t otherwise) {
    return model.integers(node, name).value_or(Pair{otherwise, otherwise});
}

/// A convolution or linear layer whose weight is a parameter of its own: not quantized, not shared.
bool is_plain_layer(const Model& model, const NodeView& node) {
    if (node.op != "linear" &&
        (node.op != "conv2d" || model.integer(node.name, "groups").value_or(1) != 1)) {
        return false;
    }
    const auto names = model.parameters();
    if (std::find(names.begin(), names.end(), node.inputs.at(1)) == names.end()) {
        return false;
    }
    std::size_t readers = 0;
    for (const NodeView& other : model.nodes()) {
        readers += static_cast<std::size_t>(
            std::count(other.inputs.begin(), other.inputs.end(), node.inputs[1]));
    }
    return readers == 1;
}

/// Names of the nodes that the main output depends on: the network without the heads of its exits.
std::set<std::string> body_of(const Model& model) {
    std::set<std::string> values{model.output()};
    std::set<std::string> body;
    const std::vector<NodeView> nodes = model.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        if (values.count(node->outputs.at(0)) != 0) {
            body.insert(node->name);
            values.insert(node->inputs.begin(), node->inputs.end());
        }
    }
    return body;
}

}  // namespace

struct LowRank::Plan {
    double macs = 0;  ///< of both together
    at::Tensor basis;
    at::Tensor mix;
    Attributes basis_attributes;
    Attributes mix_attributes;
};

void LowRank::configure(const topress::Params& params) {
    energy_ratio_ = params.get<double>("energy_ratio");
    macs_ratio_ = params.get<double>("macs_ratio");
    scheme_ = params.get<std::string>("scheme");
    round_to_ = params.get<std::int64_t>("round_to");
    epochs_ = params.get<double>("epochs");
    learning_rate_factor_ = params.get<double>("learning_rate_factor");
}

std::int64_t LowRank::choose_rank(const at::Tensor& singular_values,
                                  double unit_macs,
                                  double macs) const {
    const std::int64_t wanted = rank_of_energy(singular_values, energy_ratio_);
    std::int64_t rank = (wanted + round_to_ - 1) / round_to_ * round_to_;
    if (macs_ratio_ > 0) {
        const auto affordable = static_cast<std::int64_t>(macs_ratio_ * macs / unit_macs);
        rank = std::min(rank, std::max<std::int64_t>(affordable / round_to_ * round_to_, 1));
    }
    return std::min(rank, singular_values.size(0));
}

LowRank::Plan LowRank::plan_linear(const Model& model, const NodeView& node) const {
    const at::Tensor weight = model.parameter(node.inputs[1]);
    const Factors all = factorise(weight);
    const auto unit = static_cast<double>(weight.size(0) + weight.size(1));
    const std::int64_t rank = choose_rank(all.singular_values, unit, model.node_macs(node.name));
    const Factors kept = truncated(all, rank);
    return {unit * static_cast<double>(rank), kept.basis, kept.mix, {}, {}};
}

/// (Cout, Cin*kh*kw): a k x k convolution with r channels, then 1 x 1.
LowRank::Plan LowRank::plan_channel(const Model& model, const NodeView& node) const {
    const at::Tensor weight = model.parameter(node.inputs[1]);
    const double macs = model.node_macs(node.name);
    const Factors all = factorise(weight.reshape({weight.size(0), -1}));
    const auto inner = static_cast<double>(weight.numel() / weight.size(0));
    const auto outer = static_cast<double>(weight.size(0));
    const double unit = macs / (inner * outer) * (inner + outer);
    const std::int64_t rank = choose_rank(all.singular_values, unit, macs);
    const Factors kept = truncated(all, rank);
    Plan plan;
    plan.macs = unit * static_cast<double>(rank);
    plan.basis = kept.basis.view({rank, weight.size(1), weight.size(2), weight.size(3)});
    plan.mix = kept.mix.view({weight.size(0), rank, 1, 1});
    for (const char* name : {"stride", "dilation"}) {
        plan.basis_attributes[name] = pair_of(model, node.name, name, 1);
    }
    plan.basis_attributes["padding"] = pair_of(model, node.name, "padding", 0);
    return plan;
}

/// (Cout*kw, Cin*kh): a k x 1 convolution with r channels, then 1 x k.
LowRank::Plan LowRank::plan_spatial(const Model& model, const NodeView& node) const {
    const at::Tensor weight = model.parameter(node.inputs[1]);
    const std::int64_t rows = weight.size(2);
    const std::int64_t columns = weight.size(3);
    const Factors all = factorise(
        weight.permute({0, 3, 1, 2}).reshape({weight.size(0) * columns, weight.size(1) * rows}));
    const auto out = model.value_shape(node.outputs[0]);
    const auto in = model.value_shape(node.inputs[0]);
    const auto unit = static_cast<double>(
        out[1] * (weight.size(1) * rows * in[2] + weight.size(0) * columns * out[2]));
    const std::int64_t rank = choose_rank(all.singular_values, unit, model.node_macs(node.name));
    const Factors kept = truncated(all, rank);
    const auto split = [&](const char* name, std::int64_t neutral, std::size_t axis) {
        Pair values{neutral, neutral};
        values[axis] = pair_of(model, node.name, name, neutral)[axis];
        return values;
    };
    Plan plan;
    plan.macs = unit * static_cast<double>(rank);
    plan.basis = kept.basis.view({rank, weight.size(1), rows, 1});
    plan.mix =
        kept.mix.view({weight.size(0), columns, rank}).permute({0, 2, 1}).unsqueeze(2).contiguous();
    for (const auto& [name, neutral] : {std::pair{"stride", 1}, {"padding", 0}, {"dilation", 1}}) {
        plan.basis_attributes[name] = split(name, neutral, 0);
        plan.mix_attributes[name] = split(name, neutral, 1);
    }
    return plan;
}

bool LowRank::replace(Model& model, const NodeView& node) const {
    const at::Tensor weight = model.parameter(node.inputs[1]);
    const bool is_spatial =
        scheme_ == "spatial" && weight.dim() == 4 && weight.size(2) > 1 && weight.size(3) > 1;
    const Plan plan = node.op == "linear" ? plan_linear(model, node)
                      : is_spatial        ? plan_spatial(model, node)
                                          : plan_channel(model, node);
    if (plan.macs >= model.node_macs(node.name)) {
        return false;
    }
    const std::string basis = node.name + ".basis";
    const std::string mix = node.name + ".mix";
    model.add_parameter(basis + ".weight", "weight", plan.basis.to(weight.options()));
    model.add_parameter(mix + ".weight", "weight", plan.mix.to(weight.options()));
    model.add_node(basis,
                   node.op,
                   {node.inputs[0], basis + ".weight"},
                   {basis + ".out"},
                   plan.basis_attributes);
    std::vector<std::string> inputs{basis + ".out", mix + ".weight"};
    inputs.insert(inputs.end(), node.inputs.begin() + 2, node.inputs.end());
    model.add_node(mix, node.op, inputs, {mix + ".out"}, plan.mix_attributes);
    model.replace_uses(node.outputs[0], mix + ".out");
    model.remove_node(node.name);
    return true;
}

void LowRank::apply(Model& model, Context& context) {
    // Heads belong to whoever attached the exits, and cost next to nothing.
    const std::set<std::string> body = body_of(model);
    std::vector<NodeView> layers = model.nodes();
    std::erase_if(layers, [&](const NodeView& node) {
        return body.count(node.name) == 0 || !is_plain_layer(model, node);
    });
    const double before = model.cost().macs;
    std::uint64_t done = 0;
    std::int64_t factorised = 0;
    for (const NodeView& listed : layers) {
        context.throw_if_cancelled();
        context.progress(++done, layers.size(), "factorise " + listed.name);
        // Earlier replacements gave this layer another input.
        for (const NodeView& node : model.nodes()) {
            if (node.name == listed.name) {
                factorised += replace(model, node) ? 1 : 0;
                break;
            }
        }
    }
    context.metric("factorised_layers", static_cast<double>(factorised));
    context.metric("macs_ratio", model.cost().macs / before);
    if (factorised == 0) {
        context.log_warn("no layer becomes cheaper at this energy_ratio");
        return;
    }
    if (epochs_ > 0) {
        topress::FitOptions options;
        options.phase = "low rank";
        options.epochs = epochs_;
        options.learning_rate_factor = learning_rate_factor_;
        context.fit(model, options);
    }
}

}  // namespace example::lowrank
