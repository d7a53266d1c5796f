// Reading and matching the patterns.
#include "layer_bits.hpp"

#include <algorithm>

namespace topress::quantization {
namespace {

constexpr int kMostBits = 8;
constexpr int kFewestActivationBits = 2;

/// The digit behind `letter` at the front of `text`, which it is cut off from; 0 = there is none.
int take_bits(std::string_view& text, char letter) {
    if (text.size() < 2 || text[0] != letter || text[1] < '1' || text[1] > '0' + kMostBits) {
        return 0;
    }
    const int bits = text[1] - '0';
    text.remove_prefix(2);
    return bits;
}

}  // namespace

std::optional<LayerBits> parse_layer_bits(std::string_view text) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string_view::npos || equals == 0) {
        return std::nullopt;
    }
    LayerBits rule{std::string(text.substr(0, equals)), {}};
    std::string_view bits = text.substr(equals + 1);
    if (bits == "float") {
        return rule;
    }
    rule.bits.weight = take_bits(bits, 'W');
    rule.bits.activation = take_bits(bits, 'A');
    const bool is_whole = bits.empty() && rule.bits.weight > 0;
    return is_whole && rule.bits.activation >= kFewestActivationBits ? std::optional(rule)
                                                                     : std::nullopt;
}

bool fits(std::string_view pattern, std::string_view name) {
    // Only the last star ever has to take more text: what was before it fits already.
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t behind_star = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            behind_star = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++behind_star;
        } else {
            return false;
        }
    }
    return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(), [](char c) {
        return c == '*';
    });
}

std::optional<Bits> bits_for(const std::vector<LayerBits>& rules, std::string_view layer) {
    const auto found = std::find_if(rules.rbegin(), rules.rend(), [&](const LayerBits& rule) {
        return fits(rule.pattern, layer);
    });
    return found == rules.rend() ? std::nullopt : std::optional(found->bits);
}

}  // namespace topress::quantization
