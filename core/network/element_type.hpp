// The type of a network's numbers: float32 in files and in training, another where answers are to
// be exact.
#pragma once

#include "network/graph.hpp"

#include <c10/core/ScalarType.h>

namespace topress::network {

/// Of the first tensor of floating-point numbers; float32 for a network without any.
[[nodiscard]] at::ScalarType element_type(const Network& network);

/// Gives every tensor of floating-point numbers another type. The network then wants inputs of that
/// type, and its operators compute in it.
void set_element_type(Network& network, at::ScalarType type);

}  // namespace topress::network
