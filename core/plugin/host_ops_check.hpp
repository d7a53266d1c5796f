// Does an offered implementation of a built-in operator compute what the built-in computes?
#pragma once

#include "network/operators.hpp"

#include <ATen/core/Tensor.h>

#include <string>

namespace topress::plugin {

/// Compares forward and backward with the built-in on seeded tensors: per tensor, per channel,
/// channels-last, exact ties. Returns the first disagreement with its figures, empty when there is
/// none. Units: forward within 1e-6, backward within 1e-4 of the largest reference value.
[[nodiscard]] std::string find_disagreement(const network::QuantizeImplementation& offered,
                                            at::Device device);

/// The same for a gate; its indices must be equal, in order and type.
[[nodiscard]] std::string find_disagreement(const network::ExitGate& offered, at::Device device);

}  // namespace topress::plugin
