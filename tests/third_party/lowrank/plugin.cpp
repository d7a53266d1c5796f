// The low-rank plugin: which class serves which technique of plugin.toml.
#include "lowrank.hpp"

#include <topress/plugin.hpp>

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("lowrank.svd", example::lowrank::LowRank));
