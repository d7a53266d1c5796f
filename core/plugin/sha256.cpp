// SHA-256 by libcrypto.
#include "plugin/sha256.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <array>
#include <openssl/evp.h>

namespace topress::plugin {

std::string sha256_of_file(const std::filesystem::path& file) {
    const std::string bytes = read_file(file);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    TOPRESS_ASSERT(
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
        text += kDigits[digest[i] >> 4U];
        text += kDigits[digest[i] & 0xFU];
    }
    return text;
}

}  // namespace topress::plugin
