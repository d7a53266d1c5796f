// The safetensors container: named tensors and text entries in one byte string. Internal to
// network/.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace topress::network {

/// What a file holds; tensors in file order.
struct SafeTensors {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    std::map<std::string, std::string> metadata;
};

/// The container as bytes: tensors contiguous in the given order, header padded with spaces to 8.
/// Throws Error{network/bad-parameter} for an element type that safetensors does not know.
[[nodiscard]] std::string pack(const SafeTensors& content);

/// Throws Error{network/bad-file} for anything but a complete, gapless, non-overlapping file.
[[nodiscard]] SafeTensors unpack(const std::string& bytes, const std::string& file);

/// Throws Error{network/bad-file}.
[[noreturn]] void throw_bad_file(const std::string& file, const std::string& what);

}  // namespace topress::network
