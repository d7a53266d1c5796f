// Checks on parameters: what the schema allows is accepted, what it does not is refused.
#include "base/error.hpp"
#include "conformance/check.hpp"
#include "conformance/host_observer.hpp"
#include "conformance/parameters.hpp"
#include "conformance/subject.hpp"
#include "data/random.hpp"

namespace topress::conformance {
namespace {

using plugin::TechniqueMetadata;

constexpr std::uint64_t kRandomConfigurations = 200;

Diagnostics validate(const TechniqueMetadata& technique, const config::Parameters& parameters) {
    return config::validate_parameters(parameters, technique.parameters, technique.id);
}

/// Nothing when it is accepted, else what the plugin said.
std::string refusal_of(const Subject& subject,
                       const TechniqueMetadata& technique,
                       const config::Parameters& parameters) {
    try {
        plugin::TechniqueObject object(subject.library().techniques(), technique.id);
        object.configure(config::fill_defaults(parameters, technique.parameters));
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

Outcome check_defaults(Subject& subject) {
    Findings findings;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        const std::string refusal = refusal_of(subject, technique, default_parameters(technique));
        if (!refusal.empty()) {
            findings.fail("configure refused the defaults: " + refusal);
        }
    }
    return findings.outcome("accepted");
}

Outcome check_range(Subject& subject) {
    Findings findings;
    std::size_t count = 0;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (const TriedValue& tried : values_to_accept(technique)) {
            const auto parameters = with_value(default_parameters(technique), tried);
            if (!validate(technique, parameters).empty()) {
                continue;  // asks for another parameter (required_if)
            }
            ++count;
            const std::string refusal = refusal_of(subject, technique, parameters);
            if (!refusal.empty()) {
                findings.fail(tried.parameter + " = " + config::to_toml(tried.value) +
                              " is within its range, but: " + refusal);
            }
        }
    }
    return findings.outcome(std::to_string(count) + " values accepted");
}

Outcome check_outside(Subject& subject) {
    Findings findings;
    std::size_t count = 0;
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (const TriedValue& tried : values_to_refuse(technique)) {
            ++count;
            if (validate(technique, with_value(default_parameters(technique), tried)).empty()) {
                findings.fail("the schema of '" + technique.id + "' allows " + tried.parameter +
                              " = " + config::to_toml(tried.value));
            }
        }
    }
    return findings.outcome(std::to_string(count) + " wrong values refused");
}

/// A plugin may refuse what is wrong only in combination, but says so and does not refuse most.
Outcome check_random(Subject& subject) {
    Findings findings;
    std::uint64_t tried = 0;
    std::uint64_t refused = 0;
    const std::uint64_t techniques = subject.techniques().size();
    for (const TechniqueMetadata& technique : subject.techniques()) {
        for (std::uint64_t i = 0;
             i < kRandomConfigurations / std::max<std::uint64_t>(techniques, 1);
             ++i) {
            const auto parameters =
                random_parameters(technique, data::derive_seed(subject.seed(), i));
            if (!validate(technique, parameters).empty()) {
                continue;
            }
            ++tried;
            const std::string refusal = refusal_of(subject, technique, parameters);
            if (!refusal.empty() && ++refused <= 3) {
                findings.note("refused: " + refusal);
            }
        }
    }
    if (refused * 2 > tried) {
        findings.fail(std::to_string(refused) + " of " + std::to_string(tried) +
                      " random configurations that the schema allows were refused");
    }
    return findings.outcome(std::to_string(tried - refused) + " of " + std::to_string(tried) +
                            " accepted");
}

}  // namespace

std::vector<Check> configuration_checks() {
    constexpr auto kGroup = Group::Configuration;
    constexpr auto kLoaded = Requires::Loaded;
    return {
        {"accepts-defaults", kGroup, kLoaded, "It takes its own defaults.", check_defaults},
        {"accepts-its-ranges",
         kGroup,
         kLoaded,
         "Every parameter is taken at both ends of its range and at each allowed value.",
         check_range},
        {"refuses-outside",
         kGroup,
         Requires::Loadable,
         "Its schema refuses values beyond a range and of another type.",
         check_outside},
        {"random-configurations",
         kGroup,
         kLoaded,
         "200 random configurations that the schema allows are taken.",
         check_random},
    };
}

}  // namespace topress::conformance
