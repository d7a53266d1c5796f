// Which device a run computes on, and with how many threads.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace topress::train {

/// "cpu", "cuda" (the first one) or "cuda:N", ready for use. CUDA support is loaded on the first
/// request, so a program that never asks does not pay for it; ask before the first tensor is made.
/// For the CPU, the allocator of the process is told to keep freed memory (glibc).
/// Throws: Error{device/unknown}, {device/unavailable} with the reason.
[[nodiscard]] c10::Device open_device(const std::string& name);

/// Physical cores this process may use: two hardware threads of one core count once.
[[nodiscard]] int count_physical_cores();

/// Threads for tensor operations; 0 = count_physical_cores().
void set_threads(int threads);

}  // namespace topress::train
