// Channel groups: all tensor dimensions that share one channel index, and their physical removal.
#pragma once

#include "network/graph.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::network {

/// Dimension `dim` of `parameter` is indexed by offset + channel * repeat + r, 0 <= r < repeat.
struct GroupMember {
    std::string parameter;
    std::int64_t dim = 0;
    std::int64_t repeat = 1;
    std::int64_t offset = 0;
};

/// Named after the first node that produces the channels.
struct ChannelGroup {
    std::string name;
    std::int64_t channels = 0;
    std::vector<GroupMember> members;
};

/// The groups that may be pruned, in execution order: those that touch the network's input or an
/// output's classes are left out.
[[nodiscard]] std::vector<ChannelGroup> find_channel_groups(const Network& network);

/// Keeps these channels (ascending, unique, not empty) and shrinks every member; grouped
/// convolutions get their new `groups`. Throws Error{network/unknown-group | network/bad-channels}.
void keep_channels(Network& network,
                   const std::string& group,
                   const std::vector<std::int64_t>& channels);

}  // namespace topress::network
