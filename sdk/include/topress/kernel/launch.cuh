// The one way a kernel file launches: on the device under nvcc, on fibres under the test kit.
//
// A .cu file includes this header, launches with TOPRESS_LAUNCH and takes dynamic shared memory
// with TOPRESS_DYNAMIC_SHARED; the same file then runs on every machine (docs/kernels.md). C++17.
#pragma once

#include <topress/kernel/arguments.hpp>

#include <stdexcept>
#include <string>

#if defined(TOPRESS_KERNEL_TESTKIT)

#include <topress/testkit/cuda.hpp>

#else

#include <cuda_runtime.h>

/// Launches kernel<<<grid, block, shared_bytes, stream>>>(args...). `stream` is a cudaStream_t or a
/// void* that holds one. A kernel name with a comma goes in parentheses: (sum_kernel<float, 4>).
/// Throws: std::runtime_error naming the kernel when the launch is refused.
#define TOPRESS_LAUNCH(kernel_name, grid, block, shared_bytes, stream, ...)                  \
    do {                                                                                     \
        kernel_name<<<(grid), (block), (shared_bytes), static_cast<cudaStream_t>(stream)>>>( \
            __VA_ARGS__);                                                                    \
        ::topress::kernel::check_cuda(cudaGetLastError(), "launch of " #kernel_name);        \
    } while (false)

/// Declares `type* name`, the dynamic shared memory of the block, 16-byte aligned.
#define TOPRESS_DYNAMIC_SHARED(type, name)                           \
    extern __shared__ __align__(16) unsigned char name##_as_bytes[]; \
    type* const name = reinterpret_cast<type*>(name##_as_bytes)

#endif

/// Throws std::runtime_error with the text of the call when a CUDA runtime call fails.
#define TOPRESS_CUDA_CHECK(call) ::topress::kernel::check_cuda((call), #call)

namespace topress::kernel {

/// Turns a CUDA status into an exception that names the failed call.
/// Throws: std::runtime_error unless status is cudaSuccess.
inline void check_cuda(cudaError_t status, const char* call) {
    if (status != cudaSuccess) {
        throw std::runtime_error(std::string(call) + " failed: " + cudaGetErrorString(status));
    }
}

}  // namespace topress::kernel
