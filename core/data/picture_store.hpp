// Decoded pictures behind a file: the system pages in what is looked at, and a later run need not
// decode again.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace topress::data {

/// Where large tensors of pictures are kept. Files have names that their contents decide; whoever
/// uses one marks it, and those unused for a month go when another one is made.
struct PictureStore {
    std::filesystem::path folder = {};  ///< made when needed; empty: all pictures stay in memory
    std::uint64_t from_bytes = 0;       ///< smaller tensors stay in memory

    [[nodiscard]] bool takes(std::uint64_t bytes) const {
        return !folder.empty() && bytes > 0 && bytes >= from_bytes;
    }
};

/// Writes all pictures of a tensor, in order.
using FillPictures = std::function<void(std::uint8_t* planes)>;

/// The tensor of that key and shape, mapped from its file; the first time made by `fill`, whose
/// exceptions pass. In memory where the store does not take it, and where the file cannot be had,
/// which the log tells.
/// Shape:    sizes, uint8. The file is never written again, and a write to the tensor stays here.
[[nodiscard]] at::Tensor stored_pictures(const PictureStore& store,
                                         const std::string& key,
                                         at::IntArrayRef sizes,
                                         const FillPictures& fill);

/// Room for pictures that nobody will ask for again, without a value: behind a file without a name
/// where the store takes it, else in memory.
[[nodiscard]] at::Tensor passing_pictures(const PictureStore& store, at::IntArrayRef sizes);

}  // namespace topress::data
