// A convolution and what follows it as one step of a plan. Internal to network/.
#pragma once

#include "network/operators.hpp"

namespace topress::network {

/// What stands after the convolution: y = relu?(conv(x) + residual?).
struct ConvTail {
    bool relu = false;
    bool residual = false;
};

/// Inputs: the residual if there is one, then those of conv2d; the node is that of the convolution.
/// On the CPU, without gradients, the tail is done while the convolution's result is in the cache
/// (oneDNN post-ops); a residual that nobody else reads is overwritten. Otherwise the operators one
/// after the other.
[[nodiscard]] const Operator& conv_operator(const ConvTail& tail);

}  // namespace topress::network
