// The entry of topress.ops/1 that takes a plugin's own operators.
#pragma once

#include <topress/abi.h>

namespace topress::plugin {

/// See <topress/abi.h>.
topress_status register_operator(const topress_operator* table, topress_error* error) noexcept;

}  // namespace topress::plugin
