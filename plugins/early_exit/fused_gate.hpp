// The fused kernel as an implementation of the host's exit gate.
#pragma once

namespace topress::early_exit {

/// Offers confidence + threshold + compaction in one pass to the host, which checks it against its
/// own. Throws: PluginError{FAILED} when the host finds a difference.
void offer_fused_gate();

}  // namespace topress::early_exit
