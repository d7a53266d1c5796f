// Layer by layer: what a network was and what became of it.
#pragma once

#include "network/graph.hpp"
#include "pipeline/documents.hpp"

namespace topress::pipeline {

/// One entry per operator with multiply-accumulates that is in either network: `name`, `op`, and
/// `before` and `after`, each null or {channels, weight_bits, activation_bits, macs}. A layer
/// counts as the same by its name; order of the second network, then what is only in the first.
[[nodiscard]] Json compare_layers(const network::Network& before, const network::Network& after);

}  // namespace topress::pipeline
