// XXH3 with 128 bits, header-only.
#include "base/hash.hpp"

#include "base/error.hpp"

#include <array>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace topress {

namespace {

std::string to_hex(XXH128_hash_t hash) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * sizeof canonical.digest);
    for (const unsigned char byte : canonical.digest) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 0xFU];
    }
    return text;
}

}  // namespace

std::string hash_bytes(const void* data, std::size_t size_bytes) {
    return to_hex(XXH3_128bits(data, size_bytes));
}

struct Hasher::State {
    XXH3_state_t value;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
    XXH3_128bits_reset(&state_->value);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::add(const void* data, std::size_t size_bytes) {
    TOPRESS_ASSERT(state_ != nullptr);
    XXH3_128bits_update(&state_->value, data, size_bytes);
    return *this;
}

Hasher& Hasher::add(std::string_view text) {
    std::array<unsigned char, 8> length{};  // little endian, whatever the machine
    std::uint64_t rest = text.size();
    for (unsigned char& byte : length) {
        byte = static_cast<unsigned char>(rest & 0xFFU);
        rest >>= 8U;
    }
    return add(length.data(), length.size()).add(text.data(), text.size());
}

std::string Hasher::hex() const {
    TOPRESS_ASSERT(state_ != nullptr);
    return to_hex(XXH3_128bits_digest(&state_->value));
}

}  // namespace topress
