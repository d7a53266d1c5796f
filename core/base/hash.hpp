// Content hashes: one 128-bit hash (XXH3) as 32 hexadecimal digits. Not cryptographic.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace topress {

/// Hash of a byte string.
[[nodiscard]] std::string hash_bytes(const void* data, std::size_t size_bytes);

/// Streaming form: add() pieces, then hex().
class Hasher {
  public:
    Hasher();
    ~Hasher();
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;

    Hasher& add(const void* data, std::size_t size_bytes);
    /// Adds length and text, so that ("ab","c") and ("a","bc") differ.
    Hasher& add(std::string_view text);
    [[nodiscard]] std::string hex() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace topress
