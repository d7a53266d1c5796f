// Reading a compressed network, and giving a fresh one of its family the same form.
#include "carried.hpp"

#include <topress/first_scales.hpp>
#include <topress/places.hpp>
#include <topress/walk.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

namespace topress::distillation {
namespace {

// Multiples beyond which nobody asked for: what 16 and 32 channels have in common is no wish.
constexpr std::int64_t kLargestMultiple = 8;
constexpr int kCalibrationBatches = 4;

bool is_layer(const NodeView& node) {
    return node.op == "conv2d" || node.op == "linear";
}

/// The quantize node that makes a value, if one does.
std::optional<NodeView> quantizer(const Model& model, const std::string& value) {
    auto node = model.producer(value);
    return node && node->op == "quantize" ? node : std::nullopt;
}

int bits_at(const Model& model, const std::optional<NodeView>& quantize) {
    return quantize ? static_cast<int>(model.integer(quantize->name, "bits").value_or(0)) : 0;
}

void insert_quantize(Model& model,
                     const std::string& name,
                     const std::string& value,
                     const at::Tensor& scale,
                     int bits,
                     bool is_signed,
                     std::int64_t axis) {
    model.add_parameter(name + ".scale", "scale", scale);
    model.add_node(name,
                   "quantize",
                   {value, name + ".scale"},
                   {name + ".out"},
                   {{"bits", std::int64_t{bits}}, {"signed", is_signed}, {"axis", axis}});
}

/// Attributes a head is rebuilt with: those its operators are known to have.
Attributes attributes_of(const Model& model, const NodeView& node) {
    Attributes attributes;
    for (const char* name : {"stride", "padding", "dilation", "groups", "kernel", "epsilon"}) {
        if (auto value = model.attribute(node.name, name)) {
            attributes[name] = *value;
        }
    }
    return attributes;
}

/// The dimension that held the channels of the old body gets those of the new one: a linear layer
/// begins with zeros, filters repeat theirs, at the spread that the new number of channels wants.
at::Tensor refreshed(const at::Tensor& old, std::int64_t old_channels, std::int64_t channels) {
    std::vector<std::int64_t> shape = old.sizes().vec();
    if (old.dim() >= 2 && shape[1] == old_channels) {
        if (old.dim() == 4) {
            const at::Tensor repeated =
                at::arange(channels, old.options().dtype(at::kLong)).remainder(old_channels);
            return old.index_select(1, repeated) *
                   std::sqrt(static_cast<double>(old_channels) / static_cast<double>(channels));
        }
        shape[1] = channels;
        // Like a single linear layer's: all classes equally likely, gradients differ by input.
        return at::zeros(shape, old.options());
    }
    return old.detach().clone();
}

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Carried::Carried(const Model& model) : replaced_(model) {
    read_widths(model);
    read_bits(model);
    read_exits(model);
}

void Carried::read_widths(const Model& model) {
    const OwnedModel family = model.variant({}, 0);
    std::map<std::string, std::int64_t> full;
    for (const auto& group : family.groups()) {
        full[group.name] = group.channels;
    }
    std::int64_t common = 0;
    for (const auto& group : model.groups()) {
        const auto found = full.find(group.name);
        if (found == full.end()) {
            continue;
        }
        const double ratio =
            static_cast<double>(group.channels) / static_cast<double>(found->second);
        ratio_[group.name] = ratio;
        ratios_by_channels_[found->second].push_back(ratio);
        common = std::gcd(common, group.channels);
    }
    multiple_ = std::clamp<std::int64_t>(std::gcd(common, kLargestMultiple), 1, kLargestMultiple);
}

void Carried::narrow(Model& student) const {
    for (const auto& group : student.groups()) {
        double ratio = 1;
        if (const auto own = ratio_.find(group.name); own != ratio_.end()) {
            ratio = own->second;
        } else if (const auto alike = ratios_by_channels_.find(group.channels);
                   alike != ratios_by_channels_.end()) {
            ratio = mean_of(alike->second);
        }
        const double wanted = ratio * static_cast<double>(group.channels);
        const auto multiples = std::llround(wanted / static_cast<double>(multiple_));
        const std::int64_t kept = std::clamp<std::int64_t>(
            multiples * multiple_, std::min(multiple_, group.channels), group.channels);
        if (kept < group.channels) {
            std::vector<std::int64_t> channels(static_cast<std::size_t>(kept));
            std::iota(channels.begin(), channels.end(), 0);  // a fresh network: none is better
            student.keep_channels(group.name, channels);
        }
    }
}

double Carried::inherit(Model& student) const {
    const auto known = replaced_.parameters();
    const std::set<std::string> names(known.begin(), known.end());
    std::int64_t inherited = 0;
    std::int64_t all = 0;
    for (const std::string& name : student.parameters()) {
        const at::Tensor fresh = student.parameter(name);
        all += fresh.numel();
        if (names.count(name) == 0) {
            continue;
        }
        const at::Tensor old = replaced_.parameter(name);
        if (old.sizes() == fresh.sizes() && old.scalar_type() == fresh.scalar_type()) {
            student.set_parameter(name, old.detach().clone());
            inherited += fresh.numel();
        }
    }
    return static_cast<double>(inherited) / static_cast<double>(std::max<std::int64_t>(all, 1));
}

void Carried::read_bits(const Model& model) {
    std::map<LayerBits, int> votes;
    bool is_quantized = false;
    for (const auto& node : model.nodes()) {
        if (!is_layer(node)) {
            continue;
        }
        const auto weight = quantizer(model, node.inputs.at(1));
        const auto activation = quantizer(model, node.inputs.at(0));
        const LayerBits bits{
            bits_at(model, weight),
            bits_at(model, activation),
            activation && model.boolean(activation->name, "signed").value_or(false),
            !weight || model.integer(weight->name, "axis").value_or(-1) == 0};
        bits_[node.name] = bits;
        ++votes[bits];
        is_quantized = is_quantized || bits.weight > 0 || bits.activation > 0;
    }
    if (!is_quantized) {
        bits_.clear();
        return;
    }
    usual_bits_ = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                  })->first;
}

LayerBits Carried::bits_of(const std::string& layer) const {
    const auto found = bits_.find(layer);
    return found == bits_.end() ? usual_bits_ : found->second;
}

void Carried::quantize(Model& student, Context& context) const {
    std::map<std::string, LayerBits> inputs;  // value -> the widest of its readers' wishes
    std::vector<NodeView> layers;
    for (const auto& node : student.nodes()) {
        if (!is_layer(node)) {
            continue;
        }
        layers.push_back(node);
        const LayerBits bits = bits_of(node.name);
        if (bits.weight > 0) {
            const std::string name = node.name + ".weight_quantize";
            const at::Tensor weight = student.parameter(node.inputs.at(1));
            insert_quantize(student,
                            name,
                            node.inputs.at(1),
                            weight_scales(weight, bits.weight, bits.is_weight_per_channel),
                            bits.weight,
                            true,
                            bits.is_weight_per_channel ? 0 : -1);
            student.replace_input(node.name, 1, name + ".out");
        }
        if (bits.activation > inputs[node.inputs.at(0)].activation) {
            inputs[node.inputs.at(0)] = bits;
        }
    }
    std::erase_if(inputs, [](const auto& input) { return input.second.activation == 0; });
    std::vector<std::string> values;
    for (const auto& [value, bits] : inputs) {
        values.push_back(value);
    }
    std::vector<std::vector<at::Tensor>> seen(values.size());
    auto reader = context.batches(Split::Train, 0, true, context.random());
    for (int b = 0; b < kCalibrationBatches; ++b) {
        const auto batch = reader.next();
        if (!batch) {
            break;
        }
        const auto observed = student.observe(batch->images, values);
        for (std::size_t v = 0; v < values.size(); ++v) {
            seen[v].push_back(sample_of(observed[v]));
        }
    }
    for (std::size_t v = 0; v < values.size(); ++v) {
        const LayerBits bits = inputs[values[v]];
        const at::Tensor sample = at::cat(seen[v], 1);
        const bool is_signed = bits.activation_signed || has_negative(sample);
        const std::string name = values[v] + ".quantize";
        insert_quantize(student,
                        name,
                        values[v],
                        best_scales(sample, bits.activation, is_signed),
                        bits.activation,
                        is_signed,
                        -1);
        for (const auto& layer : layers) {
            if (layer.inputs.at(0) == values[v] && bits_of(layer.name).activation > 0) {
                student.replace_input(layer.name, 0, name + ".out");
            }
        }
    }
}

void Carried::read_exits(const Model& model) {
    const auto nodes = model.nodes();
    const auto main = ancestors(nodes, model.output());
    std::map<std::string, double> share;  // value of the main path -> MACs spent before it
    double macs = 0;
    for (const auto& node : nodes) {
        if (main.count(node.name) != 0) {
            macs += model.node_macs(node.name);
            for (const auto& output : node.outputs) {
                share[output] = macs;
            }
        }
    }
    const auto names = model.parameters();
    const std::set<std::string> parameters(names.begin(), names.end());
    for (const auto& exit : model.exits()) {
        CarriedExit carried;
        carried.exit = exit;
        std::map<std::string, std::string> renamed;  // a quantized value -> the value itself
        const auto own = ancestors(nodes, exit.logits);
        for (NodeView node : nodes) {
            if (own.count(node.name) == 0 || main.count(node.name) != 0) {
                continue;
            }
            for (auto& input : node.inputs) {
                if (const auto plain = renamed.find(input); plain != renamed.end()) {
                    input = plain->second;
                }
            }
            if (node.op == "quantize") {
                renamed[node.outputs.front()] = node.inputs.front();
                continue;
            }
            for (const auto& input : node.inputs) {
                if (parameters.count(input) != 0) {
                    carried.parameters[input] = {model.parameter_role(input),
                                                 model.parameter(input).detach()};
                } else if (share.count(input) != 0) {
                    carried.branch = input;
                    carried.macs_share = share.at(input) / macs;
                }
            }
            carried.head.push_back({node, attributes_of(model, node)});
        }
        if (const auto plain = renamed.find(exit.logits); plain != renamed.end()) {
            carried.exit.logits = plain->second;
        }
        if (carried.branch.empty() || model.value_shape(carried.branch).empty()) {
            throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                              "the head of exit '" + exit.name + "' reads no value of the body");
        }
        carried.channels = model.value_shape(carried.branch).front();
        exits_.push_back(std::move(carried));
    }
}

void Carried::attach_exits(Model& student) const {
    if (exits_.empty()) {
        return;
    }
    std::vector<double> positions;
    for (const auto& exit : exits_) {
        positions.push_back(exit.macs_share);
    }
    const auto places = choose_places(find_places(student), positions);
    if (places.size() < exits_.size()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "a student of this depth has " + std::to_string(places.size()) +
                              " places for the " + std::to_string(exits_.size()) +
                              " exits of the network it replaces: choose a deeper one",
                          "depth");
    }
    for (std::size_t k = 0; k < exits_.size(); ++k) {
        const CarriedExit& carried = exits_[k];
        for (const auto& [name, parameter] : carried.parameters) {
            student.add_parameter(
                name,
                parameter.first,
                refreshed(parameter.second, carried.channels, places[k].channels));
        }
        for (const auto& each : carried.head) {
            std::vector<std::string> inputs = each.node.inputs;
            std::replace(inputs.begin(), inputs.end(), carried.branch, places[k].value);
            student.add_node(
                each.node.name, each.node.op, inputs, each.node.outputs, each.attributes);
        }
        student.attach_exit(carried.exit);
    }
}

}  // namespace topress::distillation
