// One factory per built-in operator; operators.cpp lists them.
#pragma once

#include "network/operators.hpp"

namespace topress::network {

/// Of a batch_norm without the attribute.
inline constexpr double kDefaultEpsilon = 1e-5;

[[nodiscard]] Operator make_conv2d();
[[nodiscard]] Operator make_linear();
[[nodiscard]] Operator make_batch_norm();
[[nodiscard]] Operator make_relu();
[[nodiscard]] Operator make_add();
[[nodiscard]] Operator make_concat();
[[nodiscard]] Operator make_max_pool();
[[nodiscard]] Operator make_avg_pool();
[[nodiscard]] Operator make_global_avg_pool();
[[nodiscard]] Operator make_flatten();
[[nodiscard]] Operator make_quantize();

}  // namespace topress::network
