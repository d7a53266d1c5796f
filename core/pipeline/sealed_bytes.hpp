// Files of the stage cache vouch for themselves: a first line with a hash over all that follows.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace topress::pipeline {

/// "topress-KIND 1 HASH", a newline, the payload.
[[nodiscard]] std::string seal(std::string_view kind, std::string_view payload);

/// The payload, a part of `bytes`. Throws: Error{cache/damaged} for anything but sealed bytes of
/// that kind.
[[nodiscard]] std::string_view unseal(std::string_view kind, std::string_view bytes);

/// Whether a line, without its end, is the first one of sealed bytes of that kind; the hash is not
/// looked at.
[[nodiscard]] bool is_seal(std::string_view kind, std::string_view line);

/// The error of an entry that is not what was written.
[[nodiscard]] Error damaged_entry(const std::string& what);

}  // namespace topress::pipeline
