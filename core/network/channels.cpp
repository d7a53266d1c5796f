// Finds channel groups by walking the operators once.
// The walk gives each activation a slot (a class of a union-find) that stands for its channel
// index; operators either pass the slot on, join two slots, or open a new one. Idea: dependency
// graphs of Fang et al. 2023 (arXiv 2301.12900), reduced to one channel axis per value.
#include "network/channels.hpp"

#include "base/error.hpp"
#include "network/custom.hpp"
#include "network/operators.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace topress::network {
namespace {

/// The channel axis of an activation: slot and how many consecutive elements one channel spans.
struct ChannelAxis {
    std::size_t slot;
    std::int64_t repeat = 1;
};

/// What is known of one class of coupled channels.
struct Slot {
    std::size_t parent;
    bool frozen = false;
    std::int64_t channels = 0;
    std::string name;  ///< first producing node, empty for the input
    std::vector<GroupMember> members;
};

class ChannelWalk {
  public:
    explicit ChannelWalk(const Network& network)
        : network_(network), shapes_(infer_shapes(network)) {
        const auto input =
            open_slot("", network.input().shape.empty() ? 0 : network.input().shape[0]);
        freeze(input);
        axes_[network.input().name] = ChannelAxis{input};
        for (const auto& node : network.nodes()) {
            visit(node);
        }
        freeze_value(network.output());
        for (const auto& exit : network.exits()) {
            freeze_value(exit.logits);
        }
    }

    [[nodiscard]] std::vector<ChannelGroup> groups() {
        std::vector<ChannelGroup> result;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            Slot& slot = slots_[i];
            if (slot.parent != i || slot.frozen || slot.members.empty()) {
                continue;
            }
            result.push_back({slot.name, slot.channels, slot.members});
        }
        return result;
    }

  private:
    std::size_t open_slot(const std::string& name, std::int64_t channels) {
        slots_.push_back({slots_.size(), false, channels, name, {}});
        return slots_.size() - 1;
    }

    std::size_t find(std::size_t slot) {
        while (slots_[slot].parent != slot) {
            slot = slots_[slot].parent = slots_[slots_[slot].parent].parent;
        }
        return slot;
    }

    void freeze(std::size_t slot) { slots_[find(slot)].frozen = true; }

    void freeze_value(const std::string& value) {
        if (const auto axis = axes_.find(value); axis != axes_.end()) {
            freeze(axis->second.slot);
        }
    }

    /// The earlier slot stays the representative, so that a group keeps the name of its first
    /// producer.
    void join(std::size_t a, std::size_t b) {
        a = find(a);
        b = find(b);
        if (a == b) {
            return;
        }
        if (b < a) {
            std::swap(a, b);
        }
        Slot& kept = slots_[a];
        Slot& merged = slots_[b];
        kept.frozen = kept.frozen || merged.frozen || kept.channels != merged.channels;
        kept.members.insert(kept.members.end(), merged.members.begin(), merged.members.end());
        merged.members.clear();
        merged.parent = a;
    }

    void add_member(std::size_t slot,
                    const std::string& parameter,
                    std::int64_t dim,
                    std::int64_t repeat = 1) {
        Slot& target = slots_[find(slot)];
        const auto same = [&](const GroupMember& m) {
            return m.parameter == parameter && m.dim == dim;
        };
        const auto key = std::make_pair(parameter, dim);
        if (const auto owner = owners_.find(key); owner != owners_.end()) {
            join(owner->second, slot);  // a shared parameter couples whoever uses it
            return;
        }
        owners_.emplace(key, slot);
        if (std::none_of(target.members.begin(), target.members.end(), same)) {
            target.members.push_back({parameter, dim, repeat, 0});
        }
    }

    /// Adds dimension `dim` of the parameter behind `value`: directly, or through a quantize node,
    /// whose per-channel scale belongs to the same dimension.
    void add_weight(std::size_t slot,
                    const std::string& value,
                    std::int64_t dim,
                    std::int64_t repeat = 1) {
        if (network_.find_parameter(value) != nullptr) {
            add_member(slot, value, dim, repeat);
            return;
        }
        const Node* maker = network_.producer(value);
        if (maker != nullptr && channel_rule(*maker) == ChannelRule::Elementwise) {
            add_made_weight(slot, *maker, dim, repeat);
            return;
        }
        if (maker == nullptr || maker->op != "quantize") {
            freeze(slot);
            return;
        }
        add_weight(slot, maker->inputs.at(0), dim, repeat);
        if (int_attribute(*maker, "axis", -1) == dim) {
            add_weight(slot, maker->inputs.at(1), 0, repeat);
        }
    }

    /// A weight that a custom operator makes element by element: its parameters of the same shape
    /// are indexed as the weight is.
    void add_made_weight(std::size_t slot,
                         const Node& maker,
                         std::int64_t dim,
                         std::int64_t repeat) {
        for (const std::string& input : maker.inputs) {
            if (shapes_.at(input) == shapes_.at(maker.outputs.at(0))) {
                add_weight(slot, input, dim, repeat);
            }
        }
    }

    [[nodiscard]] static std::optional<ChannelRule> channel_rule(const Node& node) {
        const auto& custom = operator_named(node.op).custom;
        return custom ? std::optional(custom->channels) : std::nullopt;
    }

    void visit(const Node& node) {
        if (node.op == "conv2d") {
            visit_conv(node);
        } else if (node.op == "linear") {
            visit_linear(node);
        } else if (node.op == "batch_norm") {
            visit_batch_norm(node);
        } else if (node.op == "add") {
            visit_add(node);
        } else if (node.op == "flatten") {
            visit_flatten(node);
        } else if (node.op == "quantize") {
            visit_quantize(node);
        } else if (node.op == "relu" || node.op.ends_with("_pool")) {
            pass_on(node);
        } else if (channel_rule(node).value_or(ChannelRule::Blocked) != ChannelRule::Blocked) {
            visit_custom(node, *channel_rule(node));
        } else {
            visit_unknown(node);
        }
    }

    void visit_conv(const Node& node) {
        const ChannelAxis in = axis_of(node.inputs.at(0));
        const auto groups = int_attribute(node, "groups", 1);
        const auto out_channels = shapes_.at(node.outputs.at(0)).at(0);
        const auto in_channels = shapes_.at(node.inputs.at(0)).at(0);
        const bool depthwise = groups > 1 && groups == in_channels && groups == out_channels;
        const std::size_t out = depthwise ? in.slot : open_slot(node.name, out_channels);
        add_weight(out, node.inputs.at(1), 0);
        if (node.inputs.size() > 2) {
            add_weight(out, node.inputs.at(2), 0);
        }
        if (groups == 1) {
            add_weight(in.slot, node.inputs.at(1), 1, in.repeat);
        } else if (!depthwise) {
            freeze(in.slot);  // channels of a grouped convolution only go in whole groups: kept as
                              // they are
            freeze(out);
        }
        axes_[node.outputs.at(0)] = ChannelAxis{out};
    }

    void visit_linear(const Node& node) {
        const ChannelAxis in = axis_of(node.inputs.at(0));
        const std::size_t out = open_slot(node.name, shapes_.at(node.outputs.at(0)).at(0));
        add_weight(out, node.inputs.at(1), 0);
        if (node.inputs.size() > 2) {
            add_weight(out, node.inputs.at(2), 0);
        }
        add_weight(in.slot, node.inputs.at(1), 1, in.repeat);
        axes_[node.outputs.at(0)] = ChannelAxis{out};
    }

    void visit_batch_norm(const Node& node) {
        const ChannelAxis in = axis_of(node.inputs.at(0));
        for (std::size_t i = 1; i < node.inputs.size(); ++i) {
            add_weight(in.slot, node.inputs[i], 0, in.repeat);
        }
        axes_[node.outputs.at(0)] = in;
    }

    void visit_add(const Node& node) {
        const ChannelAxis a = axis_of(node.inputs.at(0));
        const ChannelAxis b = axis_of(node.inputs.at(1));
        if (a.repeat != b.repeat) {
            freeze(a.slot);
            freeze(b.slot);
        } else {
            join(a.slot, b.slot);
        }
        axes_[node.outputs.at(0)] = a;
    }

    void visit_flatten(const Node& node) {
        ChannelAxis axis = axis_of(node.inputs.at(0));
        const Shape& shape = shapes_.at(node.inputs.at(0));
        for (std::size_t d = 1; d < shape.size(); ++d) {
            axis.repeat *= shape[d];
        }
        axes_[node.outputs.at(0)] = axis;
    }

    void visit_quantize(const Node& node) {
        const std::string& x = node.inputs.at(0);
        if (network_.find_parameter(x) != nullptr) {
            return;  // seen from the operator that uses the quantized weight
        }
        if (network_.producer(x) == nullptr && x != network_.input().name) {
            return;
        }
        const ChannelAxis in = axis_of(x);
        if (int_attribute(node, "axis", -1) >= 0) {
            add_weight(in.slot, node.inputs.at(1), 0, in.repeat);
        }
        axes_[node.outputs.at(0)] = in;
    }

    void visit_custom(const Node& node, ChannelRule rule) {
        std::vector<ChannelAxis> inputs;
        for (const std::string& input : node.inputs) {
            if (const auto axis = axes_.find(input); axis != axes_.end()) {
                inputs.push_back(axis->second);
            }
        }
        if (inputs.empty()) {
            return;  // a weight: seen from the operator that uses it
        }
        if (rule == ChannelRule::None) {
            open_output(node);
            return;
        }
        const ChannelAxis first = inputs.front();
        for (const ChannelAxis& other : inputs) {
            if (other.repeat != first.repeat) {
                freeze(first.slot);
                freeze(other.slot);
            }
            join(first.slot, other.slot);
        }
        const std::int64_t size = slots_[find(first.slot)].channels * first.repeat;
        for (const std::string& input : node.inputs) {
            if (axes_.find(input) == axes_.end() && shapes_.at(input) == Shape{size}) {
                add_weight(first.slot, input, 0, first.repeat);
            }
        }
        axes_[node.outputs.at(0)] = first;
    }

    void pass_on(const Node& node) { axes_[node.outputs.at(0)] = axis_of(node.inputs.at(0)); }

    /// An operator without a channel rule: nothing that touches it may change.
    void visit_unknown(const Node& node) {
        for (const auto& input : node.inputs) {
            freeze_value(input);
        }
        open_output(node);
    }

    /// Channels that nobody may remove.
    void open_output(const Node& node) {
        for (const auto& output : node.outputs) {
            const auto& shape = shapes_.at(output);
            const auto slot = open_slot(node.name, shape.empty() ? 0 : shape[0]);
            freeze(slot);
            axes_[output] = ChannelAxis{slot};
        }
    }

    ChannelAxis axis_of(const std::string& value) {
        const auto found = axes_.find(value);
        if (found != axes_.end()) {
            return found->second;
        }
        const auto slot = open_slot("", 0);  // a constant used as activation
        freeze(slot);
        return axes_.emplace(value, ChannelAxis{slot}).first->second;
    }

    const Network& network_;
    std::map<std::string, Shape> shapes_;
    std::vector<Slot> slots_;
    std::map<std::string, ChannelAxis> axes_;
    std::map<std::pair<std::string, std::int64_t>, std::size_t> owners_;
};

}  // namespace

std::vector<ChannelGroup> find_channel_groups(const Network& network) {
    return ChannelWalk(network).groups();
}

}  // namespace topress::network
