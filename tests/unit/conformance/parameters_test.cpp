// Values by schema: those to accept are valid, those to refuse are not.
#include "conformance/parameters.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace topress::conformance {
namespace {

using config::ParameterSpec;
using config::ParameterType;

ParameterSpec make_spec(const std::string& name,
                        ParameterType type,
                        std::optional<config::ParameterValue> default_value,
                        std::optional<double> minimum = {},
                        std::optional<double> maximum = {}) {
    ParameterSpec spec;
    spec.name = name;
    spec.type = type;
    spec.default_value = std::move(default_value);
    spec.minimum = minimum;
    spec.maximum = maximum;
    return spec;
}

plugin::TechniqueMetadata technique() {
    plugin::TechniqueMetadata made;
    made.id = "test.technique";
    made.parameters = {
        make_spec("epochs", ParameterType::Number, 20.0, 0.0, 100.0),
        make_spec("depth", ParameterType::Integer, std::nullopt, 8),
        make_spec("mode", ParameterType::String, std::string("soft")),
        make_spec("places", ParameterType::NumberList, std::vector<double>{0.5}, 0.1, 0.9),
        make_spec("flag", ParameterType::Bool, true)};
    made.parameters[2].values = {"soft", "hard"};
    return made;
}

bool is_valid(const config::Parameters& parameters) {
    return config::validate_parameters(parameters, technique().parameters, "test").empty();
}

TEST_CASE("parameters: defaults are filled in, what has none gets its lowest value") {
    const config::Parameters parameters = default_parameters(technique());
    CHECK(is_valid(parameters));
    CHECK(std::get<double>(parameters.at("epochs").value) == 20.0);
    CHECK(std::get<std::int64_t>(parameters.at("depth").value) == 8);
}

TEST_CASE("parameters: quick ones work for half an epoch only") {
    const config::Parameters parameters = quick_parameters(technique());
    CHECK(is_valid(parameters));
    CHECK(std::get<double>(parameters.at("epochs").value) == 0.5);
}

TEST_CASE("parameters: every value to accept is valid, every value to refuse is not") {
    const auto accepted = values_to_accept(technique());
    CHECK(accepted.size() == 3 + 3 + 3 + 3 + 3);
    for (const TriedValue& tried : accepted) {
        CAPTURE(tried.parameter);
        CHECK(is_valid(with_value(default_parameters(technique()), tried)));
    }
    const auto refused = values_to_refuse(technique());
    CHECK(refused.size() == 3 + 2 + 1 + 3 + 1);
    for (const TriedValue& tried : refused) {
        CAPTURE(tried.parameter);
        CHECK_FALSE(is_valid(with_value(default_parameters(technique()), tried)));
    }
}

TEST_CASE("parameters: random ones are valid, and the seed decides") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        const config::Parameters parameters = random_parameters(technique(), seed);
        CHECK(is_valid(parameters));
        CHECK(config::same_values(parameters, random_parameters(technique(), seed)));
    }
    CHECK_FALSE(
        config::same_values(random_parameters(technique(), 1), random_parameters(technique(), 2)));
}

}  // namespace
}  // namespace topress::conformance
