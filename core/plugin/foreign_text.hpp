// Texts from a plugin, made fit to show: bounded, one line, valid UTF-8, no control characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace topress::plugin {

/// The text up to its first zero or line break; bytes that are no UTF-8 and control characters
/// (terminals obey them) become '?'.
[[nodiscard]] std::string plain_text(std::string_view text);

/// The same of a field in an ABI struct, which may lack its terminating zero.
template <std::size_t Size>
[[nodiscard]] std::string plain_text(const char (&field)[Size]) {
    return plain_text(std::string_view(field, Size));
}

}  // namespace topress::plugin
