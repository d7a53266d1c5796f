// plugins.allow and plugins.deny of the user's own configuration: which plugins may be used at all.
#pragma once

#include "base/diagnostic.hpp"
#include "plugin/refusal.hpp"
#include "plugin/trust.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::plugin {

/// One entry of a list: a plugin id, or the SHA-256 of a plugin's file.
struct PluginRule {
    std::string id;      ///< empty if the rule names a file
    std::string sha256;  ///< 64 lower-case digits; empty if the rule names an id
    Location where;
};

/// What the user wrote. Both lists may be empty: then every plugin may be used.
struct PluginRules {
    std::string file;  ///< empty if there is none
    std::vector<PluginRule> allow;
    std::vector<PluginRule> deny;
};

/// Reads the user's configuration; no rules if `file` is not there. Every mistake is collected:
/// config/cannot-read, syntax, unknown-key, wrong-type, invalid-value, unsupported-schema, and
/// config/untrusted if others could have written it.
[[nodiscard]] PluginRules load_user_rules(const std::filesystem::path& file,
                                          TrustChecker& trust,
                                          Diagnostics& diagnostics);

/// The same for a text in memory.
[[nodiscard]] PluginRules parse_user_rules(std::string_view text,
                                           const std::string& file,
                                           Diagnostics& diagnostics);

/// Deny wins over allow. A list of allowed plugins that is not empty holds for all that are not
/// bundled. plugin/denied, plugin/not-allowed. The file is read only when a rule names a SHA-256.
[[nodiscard]] std::optional<Refusal> check_rules(const PluginRules& rules,
                                                 const std::string& plugin_id,
                                                 const std::filesystem::path& file,
                                                 bool is_bundled);

}  // namespace topress::plugin
