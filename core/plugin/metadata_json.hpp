// Metadata as JSON: what `topress plugin doc --json` prints, and the JSON schema of plugin.toml.
#pragma once

#include "plugin/metadata.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace topress::plugin {

/// Keys keep the order in which they are written.
using Json = nlohmann::ordered_json;

/// name, type, default, optional, required_if, minimum, maximum, values, unit, doc; what is not
/// there is left out.
[[nodiscard]] Json to_json(const config::ParameterSpec& spec);

/// Everything a technique declares, absent lists as empty ones.
[[nodiscard]] Json to_json(const TechniqueMetadata& technique);

/// The whole of a plugin.toml.
[[nodiscard]] Json to_json(const PluginMetadata& plugin);

/// The JSON schema (draft 2020-12) of plugin.toml, made of the same tables the parser reads.
/// Editors check and complete with it; what only the parser can check (references between
/// parameters, duplicates) is not in it.
[[nodiscard]] Json metadata_json_schema();

/// A JSON document as a file: two-space indent, newline at the end.
[[nodiscard]] std::string to_text(const Json& json);

}  // namespace topress::plugin
