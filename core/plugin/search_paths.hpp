// Where plugins are looked for, in which order. Never the current directory.
#pragma once

#include "base/diagnostic.hpp"
#include "plugin/trust.hpp"
#include "plugin/user_environment.hpp"
#include "plugin/user_rules.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::plugin {

/// `where_from` of the folder that holds the plugins which came with the program.
inline constexpr const char* kBesideTheProgram = "beside the program";

/// One place to look: a folder, or a single library file.
struct SearchPath {
    std::filesystem::path path;  ///< absolute
    std::string where_from;      ///< "--plugin-path", "configuration", "TOPRESS_PLUGIN_PATH", ...
    bool is_explicit = false;    ///< somebody named it: worth a warning if it is not there
};

/// The places in search order, what was wrong with them (plugin/path-ignored,
/// plugin/environment-ignored), and who is believed there.
struct SearchPaths {
    std::vector<SearchPath> places;
    Diagnostics diagnostics;
    TrustPolicy trust = TrustPolicy::of_process();
    PluginRules rules;  ///< of the user's configuration
};

/// What the search order is made from.
struct SearchInputs {
    std::vector<std::filesystem::path>
        command_line;  ///< --plugin-path; relative to the current folder
    std::vector<std::filesystem::path> configuration;  ///< already absolute
    std::string environment;                           ///< TOPRESS_PLUGIN_PATH, colon-separated
    std::filesystem::path user_data;                   ///< "$XDG_DATA_HOME", or empty
    std::filesystem::path executable;                  ///< of the program, or empty
};

/// --plugin-path, configuration, TOPRESS_PLUGIN_PATH, user data, then lib/topress/plugins beside
/// the program's bin/ (the same for an installation and for a build tree). Relative or empty parts
/// of the environment variable are ignored with a warning: they would mean the current directory.
[[nodiscard]] SearchPaths make_search_paths(const SearchInputs& inputs);

/// The same, with environment, the user's folders and rules, and the program's location taken from
/// the process. Throws: DiagnosticError{config/...} when the user's configuration has mistakes:
/// what it forbids must not be used because of a typing error.
[[nodiscard]] SearchPaths standard_search_paths(
    const std::vector<std::filesystem::path>& command_line,
    const std::vector<std::filesystem::path>& configuration,
    const UserEnvironment& environment = UserEnvironment::of_process());

}  // namespace topress::plugin
