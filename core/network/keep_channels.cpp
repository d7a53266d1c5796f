// Removes channels physically from every member of a group.
#include "base/error.hpp"
#include "network/channels.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

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

using Dimension = std::pair<std::string, std::int64_t>;

/// Which elements stay, of every dimension that the group indexes. One dimension may hold the
/// channels several times: a value joined with itself (concat).
std::map<Dimension, std::vector<bool>> kept_elements(const Network& network,
                                                     const ChannelGroup& group,
                                                     const std::vector<std::int64_t>& channels) {
    std::vector<bool> is_kept(static_cast<std::size_t>(group.channels), false);
    for (const std::int64_t channel : channels) {
        is_kept[static_cast<std::size_t>(channel)] = true;
    }
    std::map<Dimension, std::vector<bool>> kept;
    for (const auto& member : group.members) {
        const std::int64_t size = network.parameter(member.parameter).tensor.size(member.dim);
        auto& elements =
            kept.try_emplace({member.parameter, member.dim}, static_cast<std::size_t>(size), true)
                .first->second;
        for (std::int64_t i = 0; i < group.channels * member.repeat; ++i) {
            elements.at(static_cast<std::size_t>(member.offset + i)) =
                is_kept[static_cast<std::size_t>(i / member.repeat)];
        }
    }
    return kept;
}

at::Tensor indices_of(const std::vector<bool>& elements) {
    std::vector<std::int64_t> indices;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (elements[i]) {
            indices.push_back(static_cast<std::int64_t>(i));
        }
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
    for (const auto& [dimension, elements] : kept_elements(network, *group, channels)) {
        const auto& [parameter, dim] = dimension;
        const at::Tensor& tensor = network.parameter(parameter).tensor;
        const at::Tensor indices = indices_of(elements).to(tensor.device());
        network.set_parameter(parameter, tensor.detach().index_select(dim, indices));
    }
    update_depthwise(network, *group);
}

}  // namespace topress::network
