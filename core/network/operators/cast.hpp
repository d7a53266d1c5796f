// Casts what an operator reads to the numbers it works in when a run is reduced. Internal to
// network/.
#pragma once

#include "network/operators.hpp"

#include <vector>

namespace topress::network {

/// What is that already stays the same tensor; autograd records the others.
void cast_inputs(const Operator& op, std::vector<at::Tensor>& inputs);

}  // namespace topress::network
