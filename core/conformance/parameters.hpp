// Configurations to try a technique with: quick, at the ends of ranges, random.
#pragma once

#include "config/parameter.hpp"
#include "plugin/metadata.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::conformance {

/// One parameter given a value worth trying.
struct TriedValue {
    std::string parameter;
    config::ParameterValue value;
};

/// Everything at its default, what has none at its lowest or first value.
[[nodiscard]] config::Parameters default_parameters(const plugin::TechniqueMetadata& technique);

/// What counts epochs, steps, batches or iterations (by unit or name) made small, so that a stage
/// ends within a moment.
[[nodiscard]] config::Parameters quickened(config::Parameters parameters,
                                           const plugin::TechniqueMetadata& technique);

/// The defaults, quickened.
[[nodiscard]] config::Parameters quick_parameters(const plugin::TechniqueMetadata& technique);

/// Each parameter at its minimum, maximum and default, and at each allowed value.
[[nodiscard]] std::vector<TriedValue> values_to_accept(const plugin::TechniqueMetadata& technique);

/// Values that the schema must refuse: beyond a range, not among the allowed ones, another type.
[[nodiscard]] std::vector<TriedValue> values_to_refuse(const plugin::TechniqueMetadata& technique);

/// A random valid configuration.
[[nodiscard]] config::Parameters random_parameters(const plugin::TechniqueMetadata& technique,
                                                   std::uint64_t seed);

/// `parameters` with one value replaced.
[[nodiscard]] config::Parameters with_value(config::Parameters parameters, const TriedValue& tried);

}  // namespace topress::conformance
