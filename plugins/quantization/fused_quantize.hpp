// The fused kernels as an implementation of the host's quantize operator.
#pragma once

namespace topress::quantization {

/// Offers the fused fake quantization to the host, which checks it against its own.
/// Throws: PluginError{FAILED} when the host finds a difference.
void offer_fused_quantize();

}  // namespace topress::quantization
