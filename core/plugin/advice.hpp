// The host's advice when a call of a plugin fails. The errors of the ABI have no room for it, so it
// is kept here and found again when the plugin passes the failure on.
#pragma once

#include <string>
#include <string_view>

namespace topress::plugin {

/// Keeps the advice that belongs to a failure which a plugin is told of as `message`. One at a
/// time, on this thread.
void remember_advice(std::string_view message, std::string_view advice) noexcept;

/// The advice of the last failure on this thread if `message` passes it on, whatever it says
/// before; empty if it does not.
[[nodiscard]] std::string advice_for(std::string_view message);

}  // namespace topress::plugin
