// at::Tensor <-> the opaque topress_tensor of the C boundary.
#pragma once

#include <topress/abi.h>

#include <ATen/core/Tensor.h>

namespace topress {

/// The tensor behind a pointer that crossed the boundary; same object, no copy.
inline at::Tensor& to_tensor(topress_tensor* tensor) noexcept {
    return *reinterpret_cast<at::Tensor*>(tensor);
}

inline const at::Tensor& to_tensor(const topress_tensor* tensor) noexcept {
    return *reinterpret_cast<const at::Tensor*>(tensor);
}

/// A tensor as it crosses the boundary; borrowed, the caller keeps it.
inline topress_tensor* to_handle(at::Tensor& tensor) noexcept {
    return reinterpret_cast<topress_tensor*>(&tensor);
}

inline const topress_tensor* to_handle(const at::Tensor& tensor) noexcept {
    return reinterpret_cast<const topress_tensor*>(&tensor);
}

}  // namespace topress
