// The reference page of the configuration, rendered from the schema.
#pragma once

#include "config/parameter.hpp"

#include <string>
#include <vector>

namespace topress::config {

/// docs/configuration.md, complete.
[[nodiscard]] std::string document();

/// One table row per parameter, with a header: key, type, default, accepted, meaning.
[[nodiscard]] std::string document_parameters(const std::vector<ParameterSpec>& specs);

}  // namespace topress::config
