// Patterns of layer names against the definition, and what counts as a rule.
#include "quantization/layer_bits.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace topress::quantization {
namespace {

/// The definition, letter by letter.
bool fits_by_definition(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) {
        return name.empty();
    }
    if (pattern.front() == '*') {
        return fits_by_definition(pattern.substr(1), name) ||
               (!name.empty() && fits_by_definition(pattern, name.substr(1)));
    }
    return !name.empty() && pattern.front() == name.front() &&
           fits_by_definition(pattern.substr(1), name.substr(1));
}

}  // namespace

TEST_SUITE("quantization") {
    TEST_CASE("layer bits: a star stands for any text") {
        CHECK(fits("stage3.*", "stage3.block0.conv1"));
        CHECK(fits("*.conv2", "stage3.block0.conv2"));
        CHECK(fits("*", "anything"));
        CHECK(fits("conv1", "conv1"));
        CHECK_FALSE(fits("conv1", "conv11"));
        CHECK_FALSE(fits("stage3.*", "stage1.block0.conv1"));
    }

    TEST_CASE("layer bits: matching agrees with its definition") {
        std::mt19937 random(3);
        const auto text = [&](const std::string& letters, std::size_t longest) {
            std::string made;
            for (std::size_t length = random() % (longest + 1); made.size() < length;) {
                made += letters[random() % letters.size()];
            }
            return made;
        };
        int fitting = 0;
        for (int i = 0; i < 20000; ++i) {
            const std::string pattern = text("ab**", 6);
            const std::string name = text("ab", 7);
            CAPTURE(pattern);
            CAPTURE(name);
            const bool expected = fits_by_definition(pattern, name);
            fitting += expected ? 1 : 0;
            REQUIRE(fits(pattern, name) == expected);
        }
        CHECK(fitting > 1000);
    }

    TEST_CASE("layer bits: a rule is a pattern and bits or float") {
        const auto rule = parse_layer_bits("stage3.*=W2A4");
        REQUIRE(rule.has_value());
        CHECK(rule->pattern == "stage3.*");
        CHECK((rule->bits == Bits{2, 4}));
        CHECK((parse_layer_bits("a=float")->bits == Bits{0, 0}));
        CHECK((parse_layer_bits("a=W1A8")->bits == Bits{1, 8}));
        for (const char* wrong : {"",
                                  "a",
                                  "=W2A2",
                                  "a=",
                                  "a=W2",
                                  "a=A2W2",
                                  "a=W9A2",
                                  "a=W0A2",
                                  "a=W2A1",
                                  "a=W2A22",
                                  "a=w2a2"}) {
            CAPTURE(wrong);
            CHECK_FALSE(parse_layer_bits(wrong).has_value());
        }
    }

    TEST_CASE("layer bits: the last rule that fits counts") {
        const std::vector<LayerBits> rules{{"*", {4, 4}}, {"stage3.*", {2, 2}}};
        CHECK((bits_for(rules, "stage3.block0.conv1") == Bits{2, 2}));
        CHECK((bits_for(rules, "fc") == Bits{4, 4}));
        CHECK_FALSE(bits_for({{"x*", {2, 2}}}, "fc").has_value());
    }
}

}  // namespace topress::quantization
