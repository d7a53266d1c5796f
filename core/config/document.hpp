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

/// What a parameter has when it is not given, as Markdown: a value, "required", "required when
/// `...`", or "-".
[[nodiscard]] std::string default_text(const ParameterSpec& spec);

/// Accepted values or range with the unit, as Markdown; empty if anything of the type is.
[[nodiscard]] std::string accepted_text(const ParameterSpec& spec);

}  // namespace topress::config
