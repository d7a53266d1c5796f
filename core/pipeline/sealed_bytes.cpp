// The seal: a word, a version, a hash.
#include "pipeline/sealed_bytes.hpp"

#include "base/hash.hpp"

namespace topress::pipeline {
namespace {

constexpr std::size_t kHashDigits = 32;

std::string magic_of(std::string_view kind) {
    return std::string("topress-").append(kind).append(" 1 ");
}

}  // namespace

std::string seal(std::string_view kind, std::string_view payload) {
    std::string bytes = magic_of(kind);
    bytes.append(hash_bytes(payload.data(), payload.size())).append("\n").append(payload);
    return bytes;
}

std::string_view unseal(std::string_view kind, std::string_view bytes) {
    const std::size_t line = bytes.find('\n');
    if (line == std::string_view::npos || !is_seal(kind, bytes.substr(0, line))) {
        throw damaged_entry("it does not begin like one");
    }
    const std::string_view payload = bytes.substr(line + 1);
    const std::string_view hash = bytes.substr(line - kHashDigits, kHashDigits);
    if (hash_bytes(payload.data(), payload.size()) != hash) {
        throw damaged_entry("its content is not what was written");
    }
    return payload;
}

bool is_seal(std::string_view kind, std::string_view line) {
    const std::string magic = magic_of(kind);
    return line.starts_with(magic) && line.size() == magic.size() + kHashDigits;
}

Error damaged_entry(const std::string& what) {
    return {"cache/damaged", "an entry of the stage cache is damaged: " + what};
}

}  // namespace topress::pipeline
