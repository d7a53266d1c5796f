// Parity on a CUDA device: arrays in device memory between guard bands, repeated launches compared.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <cuda_runtime_api.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace topress::parity {

inline void check_cuda(cudaError_t status, const char* call) {
    if (status != cudaSuccess) {
        throw std::runtime_error(std::string(call) + " failed: " + cudaGetErrorString(status));
    }
}

inline bool has_gpu() {
    int devices = 0;
    return cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
}

/// An input or output of a kernel in device memory. As the test kit's GuardedBuffer: starts as 0xff
/// bytes, guard bands on both sides are checked when the values are read back.
template <typename T>
class DeviceArray {
  public:
    explicit DeviceArray(std::size_t size, std::string name = "buffer")
        : size_(size), name_(std::move(name)) {
        std::vector<std::byte> bytes(all_bytes(), kBand);
        std::fill_n(bytes.begin() + kBandBytes, size_bytes(), kUnwritten);
        check_cuda(cudaMalloc(&memory_, bytes.size()), "cudaMalloc");
        check_cuda(cudaMemcpy(memory_, bytes.data(), bytes.size(), cudaMemcpyHostToDevice),
                   "cudaMemcpy");
    }

    explicit DeviceArray(const std::vector<T>& values, std::string name = "buffer")
        : DeviceArray(values.size(), std::move(name)) {
        check_cuda(cudaMemcpy(data(), values.data(), size_bytes(), cudaMemcpyHostToDevice),
                   "cudaMemcpy");
    }

    ~DeviceArray() { static_cast<void>(cudaFree(memory_)); }

    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    [[nodiscard]] T* data() {
        return reinterpret_cast<T*>(static_cast<std::byte*>(memory_) + kBandBytes);
    }

    [[nodiscard]] std::size_t size() const { return size_; }

    /// Waits for the device and reads the values back.
    /// Throws: std::runtime_error when a guard band was written.
    [[nodiscard]] std::vector<T> values() const {
        std::vector<std::byte> bytes(all_bytes());
        check_cuda(cudaMemcpy(bytes.data(), memory_, bytes.size(), cudaMemcpyDeviceToHost),
                   "cudaMemcpy");
        const auto is_band = [](std::byte byte) { return byte == kBand; };
        const bool whole = std::all_of(bytes.begin(), bytes.begin() + kBandBytes, is_band) &&
                           std::all_of(bytes.end() - kBandBytes, bytes.end(), is_band);
        if (!whole) {
            throw std::runtime_error("'" + name_ + "': a guard band was written");
        }
        std::vector<T> values(size_);
        if (size_ > 0) {
            std::memcpy(values.data(), bytes.data() + kBandBytes, size_bytes());
        }
        return values;
    }

  private:
    static constexpr std::ptrdiff_t kBandBytes = 256;
    static constexpr std::byte kBand{0xa5};
    static constexpr std::byte kUnwritten{0xff};

    [[nodiscard]] std::size_t size_bytes() const { return size_ * sizeof(T); }

    [[nodiscard]] std::size_t all_bytes() const { return size_bytes() + 2 * kBandBytes; }

    void* memory_ = nullptr;
    std::size_t size_;
    std::string name_;
};

inline void* stream() {
    return nullptr;
}

template <typename... Arrays>
std::vector<std::byte> bytes_of(const Arrays&... arrays) {
    std::vector<std::byte> bytes;
    const auto append = [&bytes](const auto& array) {
        const auto values = array.values();
        const std::size_t before = bytes.size();
        bytes.resize(before + values.size() * sizeof(values[0]));
        if (!values.empty()) {
            std::memcpy(bytes.data() + before, values.data(), bytes.size() - before);
        }
    };
    (append(arrays), ...);
    return bytes;
}

template <typename Run>
void check_repeatable(const Run& run) {
    constexpr int kRepeats = 3;
    const std::vector<std::byte> first = run();
    for (int repeat = 1; repeat < kRepeats; ++repeat) {
        CHECK(run() == first);
    }
}

}  // namespace topress::parity

#define TOPRESS_REQUIRE_GPU()                   \
    do {                                        \
        if (!::topress::parity::has_gpu()) {    \
            std::puts("[SKIP] no CUDA device"); \
            return;                             \
        }                                       \
    } while (false)
