// Bits that the user gives to layers by a pattern of their names: "stage3.*=W2A4".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress::quantization {

/// Bits of weights and activations; 0 = left in float.
struct Bits {
    int weight = 0;
    int activation = 0;

    bool operator==(const Bits&) const = default;
};

/// Layers whose name fits the pattern, where `*` stands for any text, also none.
struct LayerBits {
    std::string pattern;
    Bits bits;
};

/// Reads "PATTERN=WnAm", n 1 to 8 and m 2 to 8, or "PATTERN=float"; nothing when it is neither.
[[nodiscard]] std::optional<LayerBits> parse_layer_bits(std::string_view text);

[[nodiscard]] bool fits(std::string_view pattern, std::string_view name);

/// What the last of the rules that fit says; nothing when none does.
[[nodiscard]] std::optional<Bits> bits_for(const std::vector<LayerBits>& rules,
                                           std::string_view layer);

}  // namespace topress::quantization
