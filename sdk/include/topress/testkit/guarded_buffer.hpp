// Buffers with guard bands: a kernel that writes beside its output is caught, with the block that
// did.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace topress::testkit {

/// Raw storage between two guard bands, known to the kit: every launch checks all of them after
/// every block. Contents start as 0xff bytes (NaN as a float, -1 as an integer), so that an output
/// nobody wrote shows.
class GuardedStorage {
  public:
    GuardedStorage(std::size_t size_bytes, std::string name);
    ~GuardedStorage();
    GuardedStorage(const GuardedStorage&) = delete;
    GuardedStorage& operator=(const GuardedStorage&) = delete;

    [[nodiscard]] std::byte* data() noexcept;
    [[nodiscard]] const std::byte* data() const noexcept;

    /// What is wrong with the guard bands ("'name': byte 4 past its end was written"), or empty.
    [[nodiscard]] std::string damage() const;

    /// Makes the guard bands whole again, after their damage was reported.
    void repair() noexcept;

  private:
    std::vector<std::byte> bytes_;
    std::size_t size_bytes_;
    std::string name_;
};

/// The damage of every living GuardedStorage, which it repairs; empty when all are whole.
std::string collect_guard_damage();

/// An array of T between guard bands, for the inputs and outputs of kernels under test.
/// Owner: the buffer; pointers are valid as long as it lives.
template <typename T>
class GuardedBuffer {
    static_assert(std::is_trivially_copyable_v<T>, "kernels see plain data only");

  public:
    explicit GuardedBuffer(std::size_t size, std::string name = "buffer")
        : storage_(size * sizeof(T), std::move(name)), size_(size) {}

    explicit GuardedBuffer(const std::vector<T>& values, std::string name = "buffer")
        : GuardedBuffer(values.size(), std::move(name)) {
        if (!values.empty()) {
            std::memcpy(storage_.data(), values.data(), values.size() * sizeof(T));
        }
    }

    [[nodiscard]] T* data() noexcept { return reinterpret_cast<T*>(storage_.data()); }

    [[nodiscard]] const T* data() const noexcept {
        return reinterpret_cast<const T*>(storage_.data());
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::vector<T> values() const { return std::vector<T>(data(), data() + size_); }

    /// True while nobody wrote beside the buffer.
    [[nodiscard]] bool is_whole() const { return storage_.damage().empty(); }

  private:
    GuardedStorage storage_;
    std::size_t size_;
};

}  // namespace topress::testkit
