// plugin.toml: what a technique is expected to do to the cost of a network.
#include "plugin/metadata.hpp"

#include <doctest/doctest.h>

using namespace topress;
using namespace topress::plugin;

namespace {

constexpr const char* kText = R"(schema = 1
[plugin]
id = "org.example.tools"
version = "0.2.0"
license = "MIT"
summary = "One technique"
[[technique]]
id = "example.round"
summary = "Rounds weights"
kind = "static"
granularity = "bit"
[technique.effect]
weight_bits = "bits"
activation_bits = 32
first_last_bits = "ends"
epochs = "epochs"
[technique.parameters.bits]
type = "integer"
default = 4
doc = "How many."
[technique.parameters.epochs]
type = "number"
optional = true
doc = "How long."
[technique.parameters.ends]
type = "string"
default = "8-bit"
values = ["same", "float", "8-bit"]
doc = "Of the first and last layer."
[technique.parameters.mode]
type = "string"
default = "hard"
doc = "Any word."
)";

std::string replaced(std::string text, const std::string& part, const std::string& other) {
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, part.size(), other);
}

TechniqueMetadata technique(const std::string& text = kText) {
    Diagnostics diagnostics;
    const auto plugin = parse_metadata(text, "plugin.toml", diagnostics);
    REQUIRE(plugin.has_value());
    return plugin->techniques.front();
}

config::Parameters with_ends(const TechniqueMetadata& technique, const std::string& word) {
    return config::fill_defaults({{"ends", {word, {}, {}}}}, technique.parameters);
}

/// The one mistake of the text with `line` instead of the one about weight bits.
Diagnostic mistake(const std::string& line) {
    Diagnostics diagnostics;
    CHECK_FALSE(parse_metadata(
        replaced(kText, "weight_bits = \"bits\"", line), "plugin.toml", diagnostics));
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].code == "plugin/bad-metadata");
    CHECK(diagnostics[0].location.line == 13);
    return diagnostics[0];
}

}  // namespace

TEST_CASE("metadata: an effect is a number or the value of a parameter") {
    const TechniqueMetadata round = technique();
    const config::Parameters defaults = config::fill_defaults({}, round.parameters);
    CHECK(effect_of(round, defaults, "weight_bits") == 4);
    CHECK(effect_of(round, defaults, "activation_bits") == 32);
    CHECK_FALSE(effect_of(round, defaults, "macs_ratio"));
    CHECK_FALSE(effect_of(round, defaults, "epochs"));  // the parameter has no value
    const config::Parameters given =
        config::fill_defaults({{"epochs", {0.5, {}, {}}}}, round.parameters);
    CHECK(effect_of(round, given, "epochs") == 0.5);
}

TEST_CASE("metadata: words about the first and the last layer are bits") {
    const TechniqueMetadata round = technique();
    CHECK(effect_of(round, with_ends(round, "8-bit"), "first_last_bits", 4) == 8);
    CHECK(effect_of(round, with_ends(round, "float"), "first_last_bits", 4) == 32);
    CHECK(effect_of(round, with_ends(round, "same"), "first_last_bits", 4) == 4);
    CHECK_FALSE(effect_of(round, with_ends(round, "same"), "first_last_bits"));
}

TEST_CASE("metadata: no effect is another thing than an empty one") {
    const std::string text = kText;
    const std::size_t from = text.find("[technique.effect]");
    const std::size_t to = text.find("[technique.parameters.bits]");
    CHECK_FALSE(technique(text.substr(0, from) + text.substr(to)).effect);
    const auto empty = technique(text.substr(0, from) + "[technique.effect]\n" + text.substr(to));
    REQUIRE(empty.effect);
    CHECK(empty.effect->values.empty());
}

TEST_CASE("metadata: mistakes in an effect are told with their place") {
    const Diagnostic unknown = mistake("weigth_bits = 4");
    CHECK(unknown.location.column == 1);
    CHECK(unknown.hint == "did you mean 'weight_bits'?");
    const Diagnostic missing = mistake("weight_bits = \"bit\"");
    CHECK(missing.location.column == 15);
    CHECK(missing.message == "'bit' is no parameter of this technique");
    CHECK(missing.hint == "did you mean 'bits'?");
    CHECK(mistake("weight_bits = \"mode\"").message ==
          "'mode' is no number, and 'weight_bits' needs one");
    CHECK(mistake("weight_bits = -1").location.column == 15);
    CHECK(mistake("weight_bits = true").location.column == 15);
    CHECK(mistake("weight_bits = [4]").location.column == 15);
}

TEST_CASE("metadata: a word that says no bits is a mistake of the effect") {
    Diagnostics diagnostics;
    CHECK_FALSE(parse_metadata(
        replaced(kText, R"("same", "float", "8-bit")", R"("same", "float", "8-bit", "wide")"),
        "plugin.toml",
        diagnostics));
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].location.line == 15);
    CHECK(diagnostics[0].message.find("'wide'") != std::string::npos);
}
