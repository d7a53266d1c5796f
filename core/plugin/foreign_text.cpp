// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include "plugin/foreign_text.hpp"

#include <cstdint>

namespace topress::plugin {

namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// Bytes of the well-formed character at the start of `text`, 0 if there is none.
std::size_t character_size(std::string_view text) {
    const unsigned char first = byte_at(text, 0);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte_at(text, i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    const unsigned char second = byte_at(text, 1);
    const bool is_out_of_range =
        (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return is_out_of_range ? 0 : size;
}

// C0 and DEL; C1 (U+0080 to U+009F) is C2 80 to C2 9F.
bool is_control(std::string_view character) {
    const unsigned char first = byte_at(character, 0);
    return first < 0x20 || first == 0x7F ||
           (character.size() == 2 && first == 0xC2 && byte_at(character, 1) < 0xA0);
}

}  // namespace

std::string plain_text(std::string_view text) {
    std::string plain;
    text = text.substr(0, text.find('\0'));
    text = text.substr(0, text.find_first_of("\r\n"));
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        const std::string_view character = text.substr(0, size);
        if (character == "\t") {
            plain += ' ';
        } else if (character.empty() || is_control(character)) {
            plain += '?';
        } else {
            plain += character;
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return plain;
}

}  // namespace topress::plugin
