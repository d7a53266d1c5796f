// What a teacher said of every picture, as bytes of the stage cache.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace topress::pipeline {

/// Sealed: a line of JSON (key and shape), then the numbers as float32, little-endian.
/// Shape: logits (samples, pictures of one, C) float32, on any device.
[[nodiscard]] std::string teacher_answers_to_bytes(const std::string& key,
                                                   const at::Tensor& logits);

/// On the CPU. Throws: Error{cache/damaged} for anything but the bytes of answers with this key.
[[nodiscard]] at::Tensor teacher_answers_from_bytes(const std::string& bytes,
                                                    const std::string& key);

}  // namespace topress::pipeline
