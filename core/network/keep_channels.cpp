// Removes channels physically from every member of a group.
#include "base/error.hpp"
#include "network/channels.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>

namespace topress::network {
namespace {

void check_channels(const ChannelGroup& group, const std::vector<std::int64_t>& channels) {
    const bool ascending =
        std::adjacent_find(channels.begin(), channels.end(), std::greater_equal<>()) ==
        channels.end();
    if (channels.empty() || !ascending || channels.front() < 0 ||
        channels.back() >= group.channels) {
        throw Error("network/bad-channels",
                    "channels to keep of group '" + group.name +
                        "' must be ascending, unique and within 0.." +
                        std::to_string(group.channels - 1),
                    group.name,
                    "pass at least one channel, in ascending order");
    }
}

/// The element indices that `channels` stand for in one member.
at::Tensor member_indices(const GroupMember& member,
                          std::int64_t size,
                          std::int64_t group_channels,
                          const std::vector<std::int64_t>& channels) {
    std::vector<std::int64_t> indices;
    const std::int64_t end = member.offset + group_channels * member.repeat;
    for (std::int64_t i = 0; i < member.offset; ++i) {
        indices.push_back(i);
    }
    for (const auto channel : channels) {
        for (std::int64_t r = 0; r < member.repeat; ++r) {
            indices.push_back(member.offset + channel * member.repeat + r);
        }
    }
    for (std::int64_t i = end; i < size; ++i) {
        indices.push_back(i);
    }
    return at::tensor(indices, at::kLong);
}

/// Depthwise convolutions carry the channel count in an attribute as well.
void update_depthwise(Network& network, const ChannelGroup& group) {
    for (const auto& member : group.members) {
        std::string value = member.parameter;
        for (const Node* user : network.consumers(value)) {
            if (user->op == "quantize" && user->inputs.at(0) == value) {
                value = user->outputs.at(0);
                break;
            }
        }
        for (const Node* user : network.consumers(value)) {
            if (user->op == "conv2d" && int_attribute(*user, "groups", 1) > 1 &&
                user->inputs.at(1) == value) {
                network.set_attribute(
                    user->name, "groups", network.parameter(member.parameter).tensor.size(0));
            }
        }
    }
}

}  // namespace

void keep_channels(Network& network,
                   const std::string& group_name,
                   const std::vector<std::int64_t>& channels) {
    const auto groups = find_channel_groups(network);
    const auto group = std::find_if(
        groups.begin(), groups.end(), [&](const ChannelGroup& g) { return g.name == group_name; });
    if (group == groups.end()) {
        throw Error(
            "network/unknown-group",
            "no channel group '" + group_name + "'",
            group_name,
            "list the groups first; a group that touches the input or an output cannot be pruned");
    }
    check_channels(*group, channels);
    for (const auto& member : group->members) {
        const at::Tensor& tensor = network.parameter(member.parameter).tensor;
        const auto indices =
            member_indices(member, tensor.size(member.dim), group->channels, channels)
                .to(tensor.device());
        network.set_parameter(member.parameter, tensor.detach().index_select(member.dim, indices));
    }
    update_depthwise(network, *group);
}

}  // namespace topress::network
