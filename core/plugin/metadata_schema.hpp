// The keys of plugin.toml as data: type, default, accepted values, doc.
#pragma once

#include "config/parameter.hpp"

#include <string>
#include <vector>

namespace topress::plugin {

using Specs = std::vector<config::ParameterSpec>;

/// Keys outside any table.
[[nodiscard]] const Specs& document_keys();
/// Keys of [plugin].
[[nodiscard]] const Specs& plugin_keys();
/// Plain keys of a [[technique]].
[[nodiscard]] const Specs& technique_keys();
/// Keys of `needs`.
[[nodiscard]] const Specs& needs_keys();
/// Keys of [technique.effect]; each takes a number or the name of a parameter.
[[nodiscard]] const Specs& effect_keys();
/// Keys of [[technique.before]] and [[technique.after]].
[[nodiscard]] const Specs& relation_keys();
/// Keys of [[technique.when]], without those of a condition.
[[nodiscard]] const Specs& when_keys();
/// Keys of [technique.parameters.NAME], without `default`, whose type is that of the parameter.
[[nodiscard]] const Specs& parameter_keys();
/// Keys of a condition (`required_if`, [[technique.when]]) whose type is known; `is` and `is_not`
/// have that of the parameter, or are lists of it.
[[nodiscard]] const Specs& condition_keys();

/// "bool", "integer", "number", "string", "integer-list", "number-list", "string-list".
[[nodiscard]] const std::vector<std::string>& parameter_type_names();

/// Dot-separated components of lower-case letters, digits, '-' and '_', each starting with a
/// letter.
[[nodiscard]] bool is_identifier(const std::string& text, std::size_t least_components);

/// A known resource, or one of an author's own ("x-...").
[[nodiscard]] bool is_resource(const std::string& name);

/// A technique id, or a reference with a known prefix and a valid rest.
[[nodiscard]] bool is_reference(const std::string& target);

/// A C++ identifier: the name of a TORCH_LIBRARY block.
[[nodiscard]] bool is_torch_namespace(const std::string& name);

/// All known resources, for messages.
[[nodiscard]] const std::vector<std::string>& known_resources();

}  // namespace topress::plugin
