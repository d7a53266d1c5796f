// A network prepared for answering: constants computed once, batch norm inside the layer before it.
#pragma once

#include "network/graph.hpp"

namespace topress::network {

/// A network that answers as this one does in evaluation mode, up to rounding, with less work: what
/// depends on parameters alone (quantized weights) is computed now, and a batch norm that alone
/// reads a convolution or linear layer becomes part of its weight and bias. Same input, output and
/// exits; values inside may be missing. Shares tensors that it does not change. Not for training.
[[nodiscard]] Network fold_for_evaluation(const Network& network);

}  // namespace topress::network
