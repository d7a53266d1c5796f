// The quantization plugin: which class serves which technique of plugin.toml, and the fused
// operator.
#include "fused_quantize.hpp"
#include "qat.hpp"

#include <topress/plugin.hpp>

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("quantization.qat", topress::quantization::Qat));
TOPRESS_PLUGIN_INIT(topress::quantization::offer_fused_quantize);
