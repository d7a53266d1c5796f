// The pruning plugin: which class serves which technique of plugin.toml.
#include "channel.hpp"

#include <topress/plugin.hpp>

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("pruning.channel", topress::pruning::ChannelPruning));
