// Facts about parameter schemas: validation, conversion, defaults, TOML text.
#include "config/parameter.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace config = topress::config;
using config::Parameters;
using config::ParameterSpec;
using config::ParameterType;
using config::ParameterValue;

namespace {

ParameterSpec spec_of(std::string name,
                      ParameterType type,
                      std::optional<ParameterValue> default_value = {}) {
    ParameterSpec spec;
    spec.name = std::move(name);
    spec.type = type;
    spec.default_value = std::move(default_value);
    return spec;
}

std::vector<std::string> codes_of(const Parameters& given,
                                  const std::vector<ParameterSpec>& specs) {
    std::vector<std::string> codes;
    for (const auto& found : config::validate_parameters(given, specs, "[technique.x]")) {
        codes.push_back(found.code);
    }
    return codes;
}

Parameters given_of(ParameterValue value) {
    return {{"p", {std::move(value), {}, {}}}};
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("parameter: each type accepts its values and refuses the others") {
    const std::vector<ParameterValue> samples = {true,
                                                 std::int64_t{3},
                                                 0.5,
                                                 std::string("word"),
                                                 std::vector<std::int64_t>{1},
                                                 std::vector<double>{0.5},
                                                 std::vector<std::string>{"a"}};
    for (std::size_t wanted = 0; wanted < samples.size(); ++wanted) {
        for (const ParameterValue& sample : samples) {
            const std::size_t actual = sample.index();
            CAPTURE(wanted);
            CAPTURE(actual);
            const bool widens = (wanted == 2 && actual == 1) || (wanted == 5 && actual == 4);
            const auto spec = spec_of("p", static_cast<ParameterType>(wanted), samples[wanted]);
            CHECK(codes_of(given_of(sample), {spec}) ==
                  (actual == wanted || widens ? Codes{} : Codes{"config/wrong-type"}));
        }
    }
}

TEST_CASE("parameter: a value of the wrong type comes back in the right one") {
    const auto hint = [](ParameterValue value, ParameterType wanted) {
        const auto spec = spec_of("p", wanted, std::nullopt);
        const auto found = config::validate_parameters(given_of(std::move(value)), {spec}, "[x]");
        REQUIRE(found.size() == 1);
        return found[0].hint;
    };
    CHECK(hint(std::string("14"), ParameterType::Integer) == "write it like this: p = 14");
    CHECK(hint(std::string("14x"), ParameterType::Integer) == "for example: p = 1");
    CHECK(hint(64.0, ParameterType::Integer) == "write it like this: p = 64");
    CHECK(hint(64.5, ParameterType::Integer) == "for example: p = 1");
    CHECK(hint(std::string("true"), ParameterType::Bool) == "write it like this: p = true");
    CHECK(hint(std::string("a"), ParameterType::StringList) == "write it like this: p = [\"a\"]");
    CHECK(hint(true, ParameterType::String) == "for example: p = \"...\"");
}

TEST_CASE("parameter: limits are inclusive and hold for each element") {
    ParameterSpec spec = spec_of("p", ParameterType::IntegerList, std::vector<std::int64_t>{8});
    spec.minimum = 1;
    spec.maximum = 8;
    CHECK(codes_of(given_of(std::vector<std::int64_t>{1, 8}), {spec}) == Codes{});
    CHECK(codes_of(given_of(std::vector<std::int64_t>{0, 4, 9}), {spec}) ==
          Codes{"config/out-of-range", "config/out-of-range"});
    spec.type = ParameterType::Number;
    CHECK(codes_of(given_of(std::nan("")), {spec}) == Codes{"config/out-of-range"});
}

TEST_CASE("parameter: one-sided ranges are spelled with their unit") {
    ParameterSpec spec = spec_of("p", ParameterType::Number, 1.0);
    spec.minimum = 0.5;
    spec.unit = "epochs";
    const auto found = config::validate_parameters(given_of(0.0), {spec}, "[technique.x]");
    REQUIRE(found.size() == 1);
    CHECK(found[0].message == "'p' in [technique.x] is '0', accepted: at least 0.5 epochs");
    CHECK(found[0].hint == "choose a value in the range; the default is 1.0");
}

TEST_CASE("parameter: strings of a list are checked against the accepted values") {
    ParameterSpec spec = spec_of("p", ParameterType::StringList, std::vector<std::string>{"first"});
    spec.values = {"first", "last"};
    CHECK(codes_of(given_of(std::vector<std::string>{"first", "last"}), {spec}) == Codes{});
    CHECK(codes_of(given_of(std::vector<std::string>{"first", "lst"}), {spec}) ==
          Codes{"config/invalid-value"});
}

TEST_CASE("parameter: missing ones are reported at the owner unless optional") {
    ParameterSpec needed = spec_of("needed", ParameterType::Integer);
    needed.minimum = 2;
    ParameterSpec optional = spec_of("optional", ParameterType::Number);
    optional.optional = true;
    const auto found =
        config::validate_parameters({}, {needed, optional}, "[technique.x]", {"a.toml", 4, 12, 1});
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "config/missing-key");
    CHECK(found[0].message == "[technique.x] lacks the key 'needed'");
    CHECK(found[0].location.line == 4);
    CHECK(found[0].hint == "add for example: needed = 2");
}

TEST_CASE("parameter: unknown ones name the nearest and the valid keys") {
    const auto spec = spec_of("macs_ratio", ParameterType::Number, 0.5);
    const Parameters given = {{"mac_ratio", {0.5, {"a.toml", 3, 1, 9}, {"a.toml", 3, 13, 3}}}};
    const auto found = config::validate_parameters(given, {spec}, "[technique.x]");
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "config/unknown-key");
    CHECK(found[0].location.column == 1);
    CHECK(found[0].hint == "did you mean 'macs_ratio'? valid keys: macs_ratio");
    CHECK(config::validate_parameters(given, {}, "[technique.x]").at(0).hint ==
          "remove the key; there are no keys here");
}

TEST_CASE("parameter: defaults fill gaps and integers become numbers") {
    ParameterSpec optional = spec_of("o", ParameterType::String);
    optional.optional = true;
    const std::vector<ParameterSpec> specs = {spec_of("a", ParameterType::Number),
                                              spec_of("b", ParameterType::Bool, true),
                                              spec_of("c", ParameterType::NumberList),
                                              spec_of("d", ParameterType::StringList),
                                              spec_of("e", ParameterType::Number, std::int64_t{3}),
                                              optional};
    const Parameters given = {{"a", {std::int64_t{4}, {}, {"f", 1, 1, 1}}},
                              {"c", {std::vector<std::int64_t>{1, 2}, {}, {}}},
                              {"d", {std::vector<std::int64_t>{}, {}, {}}}};
    REQUIRE(codes_of(given, specs) == Codes{});
    const Parameters filled = config::fill_defaults(given, specs);
    CHECK(filled.size() == 5);
    CHECK(filled.at("a").value == ParameterValue(4.0));
    CHECK(filled.at("a").where.line == 1);
    CHECK(filled.at("b").value == ParameterValue(true));
    CHECK(filled.at("b").where.file.empty());
    CHECK(filled.at("c").value == ParameterValue(std::vector<double>{1, 2}));
    CHECK(filled.at("d").value == ParameterValue(std::vector<std::string>{}));
    CHECK(filled.at("e").value == ParameterValue(3.0));
}

TEST_CASE("parameter: values as TOML") {
    const auto text = [](ParameterValue value) { return config::to_toml(value); };
    CHECK(text(true) == "true");
    CHECK(text(std::int64_t{-4}) == "-4");
    CHECK(text(0.5) == "0.5");
    CHECK(text(4.0) == "4.0");
    CHECK(text(1e300) == "1e+300");
    CHECK(text(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(text(std::string("a\"b\\\n")) == "\"a\\\"b\\\\\\u000A\"");
    CHECK(text(std::vector<std::int64_t>{}) == "[]");
    CHECK(text(std::vector<double>{1, 0.25}) == "[1.0, 0.25]");
    CHECK(text(std::vector<std::string>{"a", "b"}) == "[\"a\", \"b\"]");
}

TEST_CASE("parameter: same values wherever they stand") {
    const Parameters here = {{"p", {0.5, {"a", 1, 1, 1}, {"a", 1, 5, 3}}}};
    CHECK(config::same_values(here, given_of(0.5)));
    CHECK_FALSE(config::same_values(here, given_of(0.25)));
    CHECK_FALSE(config::same_values(here, {}));
    CHECK(config::same_values(given_of(std::vector<std::string>{}),
                              given_of(std::vector<std::int64_t>{})));
}
