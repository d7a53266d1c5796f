// Reading and writing whole files, and creating their folders; a write is complete or did not
// happen.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace topress {

/// Reads a whole file. Throws Error{file/cannot-read}; {file/too-large} above `limit_bytes`.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t limit_bytes = std::size_t{1} << 32);

/// Writes to a temporary name in the same folder, syncs, renames over `path`.
/// Throws Error{file/cannot-write} naming path and reason; the old file then is untouched.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// For results that take long: throws Error{file/cannot-write} at once if write_file_atomically()
/// could not write there now. Leaves everything as it is.
void require_writable(const std::filesystem::path& path);

/// Creates the folder of a run's or an exploration's output, with the folders above it.
/// Throws Error{file/cannot-write} naming path and reason.
void create_output_folder(const std::filesystem::path& folder);

}  // namespace topress
