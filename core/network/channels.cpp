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

/// The channels of one slot on an axis, and how many consecutive elements each spans.
struct Part {
    std::size_t slot;
    std::int64_t channels;
    std::int64_t repeat = 1;

    [[nodiscard]] std::int64_t size() const { return channels * repeat; }
};

/// The channel axis of an activation: one part, or after a concat several, one after another.
using Axis = std::vector<Part>;

// A file of unknown origin may join a value with itself again and again; networks stay far below.
constexpr std::size_t kMostParts = 4096;

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
        open_constant(network.input().name);
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
    Axis open_axis(const std::string& name, std::int64_t channels) {
        slots_.push_back({slots_.size(), false, channels, name, {}});
        return {{slots_.size() - 1, channels}};
    }

    std::size_t find(std::size_t slot) {
        while (slots_[slot].parent != slot) {
            slot = slots_[slot].parent = slots_[slots_[slot].parent].parent;
        }
        return slot;
    }

    void freeze(const Axis& axis) {
        for (const Part& part : axis) {
            slots_[find(part.slot)].frozen = true;
        }
    }

    void freeze_value(const std::string& value) {
        if (const auto axis = axes_.find(value); axis != axes_.end()) {
            freeze(axis->second);
        }
    }

    /// Channel i of one is channel i of the other. Axes that are divided differently keep all
    /// their channels.
    void couple(const Axis& a, const Axis& b) {
        const auto is_alike = [](const Part& x, const Part& y) {
            return x.channels == y.channels && x.repeat == y.repeat;
        };
        if (!std::equal(a.begin(), a.end(), b.begin(), b.end(), is_alike)) {
            freeze(a);
            freeze(b);
            return;
        }
        for (std::size_t i = 0; i < a.size(); ++i) {
            join(a[i].slot, b[i].slot);
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
        kept.frozen = kept.frozen || merged.frozen;
        kept.members.insert(kept.members.end(), merged.members.begin(), merged.members.end());
        merged.members.clear();
        merged.parent = a;
    }

    void add_members(const Axis& axis, const std::string& parameter, std::int64_t dim) {
        const auto [owner, is_new] = owners_.try_emplace({parameter, dim}, axis);
        if (!is_new) {
            couple(owner->second, axis);  // a shared parameter couples whoever uses it
            return;
        }
        std::int64_t offset = 0;
        for (const Part& part : axis) {
            slots_[find(part.slot)].members.push_back({parameter, dim, part.repeat, offset});
            offset += part.size();
        }
    }

    /// Adds dimension `dim` of the parameter behind `value`: directly, or through a quantize node,
    /// whose per-channel scale belongs to the same dimension.
    void add_weight(const Axis& axis, const std::string& value, std::int64_t dim) {
        if (network_.find_parameter(value) != nullptr) {
            add_members(axis, value, dim);
            return;
        }
        const Node* maker = network_.producer(value);
        if (maker != nullptr && channel_rule(*maker) == ChannelRule::Elementwise) {
            add_made_weight(axis, *maker, dim);
            return;
        }
        if (maker == nullptr || maker->op != "quantize") {
            freeze(axis);
            return;
        }
        add_weight(axis, maker->inputs.at(0), dim);
        if (int_attribute(*maker, "axis", -1) == dim) {
            add_weight(axis, maker->inputs.at(1), 0);
        }
    }

    /// A weight that a custom operator makes element by element: its parameters of the same shape
    /// are indexed as the weight is.
    void add_made_weight(const Axis& axis, const Node& maker, std::int64_t dim) {
        for (const std::string& input : maker.inputs) {
            if (shapes_.at(input) == shapes_.at(maker.outputs.at(0))) {
                add_weight(axis, input, dim);
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
        } else if (node.op == "concat") {
            visit_concat(node);
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
        const Axis in = axis_of(node.inputs.at(0));
        const auto groups = int_attribute(node, "groups", 1);
        const auto out_channels = shapes_.at(node.outputs.at(0)).at(0);
        const auto in_channels = shapes_.at(node.inputs.at(0)).at(0);
        const bool depthwise = groups > 1 && groups == in_channels && groups == out_channels;
        const Axis out = depthwise ? in : open_axis(node.name, out_channels);
        add_layer(node, out);
        if (groups == 1) {
            add_weight(in, node.inputs.at(1), 1);
        } else if (!depthwise) {
            freeze(in);  // channels of a grouped convolution only go in whole groups: kept as they
                         // are
            freeze(out);
        }
    }

    void visit_linear(const Node& node) {
        const Axis in = axis_of(node.inputs.at(0));
        add_layer(node, open_axis(node.name, shapes_.at(node.outputs.at(0)).at(0)));
        add_weight(in, node.inputs.at(1), 1);
    }

    /// Rows of the weight and the bias make the output's channels.
    void add_layer(const Node& node, const Axis& out) {
        for (std::size_t i = 1; i < node.inputs.size(); ++i) {
            add_weight(out, node.inputs[i], 0);
        }
        axes_[node.outputs.at(0)] = out;
    }

    void visit_batch_norm(const Node& node) {
        const Axis in = axis_of(node.inputs.at(0));
        for (std::size_t i = 1; i < node.inputs.size(); ++i) {
            add_weight(in, node.inputs[i], 0);
        }
        axes_[node.outputs.at(0)] = in;
    }

    void visit_add(const Node& node) {
        const Axis a = axis_of(node.inputs.at(0));
        couple(a, axis_of(node.inputs.at(1)));
        axes_[node.outputs.at(0)] = a;
    }

    void visit_concat(const Node& node) {
        Axis joined;
        for (const std::string& input : node.inputs) {
            const Axis axis = axis_of(input);
            joined.insert(joined.end(), axis.begin(), axis.end());
            if (joined.size() > kMostParts) {
                visit_unknown(node);
                return;
            }
        }
        axes_[node.outputs.at(0)] = std::move(joined);
    }

    void visit_flatten(const Node& node) {
        Axis axis = axis_of(node.inputs.at(0));
        const Shape& shape = shapes_.at(node.inputs.at(0));
        for (std::size_t d = 1; d < shape.size(); ++d) {
            for (Part& part : axis) {
                part.repeat *= shape[d];
            }
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
        const Axis in = axis_of(x);
        if (int_attribute(node, "axis", -1) >= 0) {
            add_weight(in, node.inputs.at(1), 0);
        }
        axes_[node.outputs.at(0)] = in;
    }

    void visit_custom(const Node& node, ChannelRule rule) {
        std::vector<Axis> inputs;
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
        const Axis first = inputs.front();
        for (const Axis& other : inputs) {
            couple(first, other);
        }
        std::int64_t size = 0;
        for (const Part& part : first) {
            size += part.size();
        }
        for (const std::string& input : node.inputs) {
            if (axes_.find(input) == axes_.end() && shapes_.at(input) == Shape{size}) {
                add_weight(first, input, 0);
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

    void open_output(const Node& node) {
        for (const auto& output : node.outputs) {
            open_constant(output, node.name);
        }
    }

    /// Channels that nobody may remove.
    const Axis& open_constant(const std::string& value, const std::string& name = "") {
        const Shape& shape = shapes_.at(value);
        const Axis axis = open_axis(name, shape.empty() ? 0 : shape[0]);
        freeze(axis);
        return axes_[value] = axis;
    }

    Axis axis_of(const std::string& value) {
        if (const auto found = axes_.find(value); found != axes_.end()) {
            return found->second;
        }
        const Axis axis = open_constant(value);  // used as activation
        if (network_.find_parameter(value) != nullptr) {
            add_members(axis, value, 0);  // and perhaps by others as weight
        }
        return axis;
    }

    const Network& network_;
    std::map<std::string, Shape> shapes_;
    std::vector<Slot> slots_;
    std::map<std::string, Axis> axes_;
    std::map<std::pair<std::string, std::int64_t>, Axis> owners_;
};

}  // namespace

std::vector<ChannelGroup> find_channel_groups(const Network& network) {
    return ChannelWalk(network).groups();
}

}  // namespace topress::network
