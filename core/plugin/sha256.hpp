// SHA-256 of a file, for the rules that name one.
#pragma once

#include <filesystem>
#include <string>

namespace topress::plugin {

/// 64 lower-case hexadecimal digits. Throws: Error{file/cannot-read}.
/// Cost: reads the whole file, about 1 GB/s.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace topress::plugin
