// The early exit plugin: which class serves which technique of plugin.toml, and the fused gate.
#include "confidence.hpp"
#include "fused_gate.hpp"

#include <topress/plugin.hpp>

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("early_exit.confidence", topress::early_exit::ConfidenceExits));
TOPRESS_PLUGIN_INIT(topress::early_exit::offer_fused_gate);
