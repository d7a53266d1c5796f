// The gates on how a plugin was built: ABI major, ABI minor, fingerprint. Used before and after
// opening.
#pragma once

#include "plugin/refusal.hpp"

#include <topress/abi.h>

#include <optional>

namespace topress::plugin {

/// None: we may call the plugin and share tensors with it. Else plugin/abi-major, plugin/abi-minor
/// or plugin/fingerprint-mismatch.
[[nodiscard]] std::optional<Refusal> check_build(std::uint32_t abi_major,
                                                 std::uint32_t abi_minor,
                                                 const topress_fingerprint& plugin,
                                                 const topress_fingerprint& host);

}  // namespace topress::plugin
