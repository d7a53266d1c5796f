// Batch norm and what follows it as one step of a plan. Internal to network/.
#pragma once

#include "network/operators.hpp"
#include "network/operators/norm_kernel.hpp"

namespace topress::network {

/// relu?(batch_norm(x, gamma, beta, running_mean, running_var) + residual?): inputs of batch_norm,
/// then the residual; the node is that of the batch norm. On the CPU, for float in channels-last
/// memory, one pass forward and two backward; otherwise the operators one after the other.
[[nodiscard]] const Operator& norm_operator(const NormTail& tail);

}  // namespace topress::network
