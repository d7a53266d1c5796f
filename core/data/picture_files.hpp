// Files of pictures in folders: which they are, and many of them as one tensor.
#pragma once

#include "data/picture.hpp"
#include "data/picture_store.hpp"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

namespace topress::data {

/// Beside pictures whose labels are numbers.
inline constexpr const char* kTargetFile = "targets.csv";

/// By its name: .jpg, .jpeg or .png in any case.
[[nodiscard]] bool is_picture_name(const std::filesystem::path& path);

/// Names in a folder, byte by byte sorted, without the hidden ones. Throws: Error{data/not-found}.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder);

/// Throws: Error{data/bad-picture}.
[[nodiscard]] PictureSize size_of_picture(const std::filesystem::path& path);

/// From the store where it has them: the same names with the same sizes and times of change are the
/// same pictures.
/// Shape:    (N, 3, height, width) uint8.
/// Throws:   Error{data/bad-picture}, {data/inconsistent} for a picture of another size.
[[nodiscard]] at::Tensor read_pictures(const std::vector<std::filesystem::path>& paths,
                                       PictureSize size,
                                       const PictureStore& store = {});

}  // namespace topress::data
