// The search order: explicit places first, then the user's, then those beside the program.
#include "plugin/search_paths.hpp"

#include <string_view>
#include <system_error>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPluginFolder = "topress/plugins";

void add(SearchPaths& paths, const fs::path& path, std::string where_from, bool is_explicit) {
    paths.places.push_back({path.lexically_normal(), std::move(where_from), is_explicit});
}

void add_ignored(SearchPaths& paths, const std::string& part) {
    Diagnostic diagnostic;
    diagnostic.severity = Severity::Warning;
    diagnostic.code = "plugin/path-ignored";
    diagnostic.message =
        "the part '" + part +
        "' of TOPRESS_PLUGIN_PATH is ignored: it would depend on the current folder";
    diagnostic.hint = "use absolute paths, separated by ':'";
    paths.diagnostics.push_back(std::move(diagnostic));
}

void add_environment(SearchPaths& paths, std::string_view list) {
    while (!list.empty()) {
        const std::size_t colon = list.find(':');
        const std::string part(list.substr(0, colon));
        if (fs::path(part).is_absolute()) {
            add(paths, part, "TOPRESS_PLUGIN_PATH", true);
        } else {
            add_ignored(paths, part);
        }
        list = colon == std::string_view::npos ? std::string_view{} : list.substr(colon + 1);
    }
}

// Warns of each variable that is set and means nothing.
void add_ignored_variables(SearchPaths& paths, const UserEnvironment& environment) {
    const auto warn = [&paths](const std::string& name, const char* reason, const char* hint) {
        Diagnostic diagnostic;
        diagnostic.severity = Severity::Warning;
        diagnostic.code = "plugin/environment-ignored";
        diagnostic.message = "the environment variable " + name + " is ignored: " + reason;
        diagnostic.hint = hint;
        paths.diagnostics.push_back(std::move(diagnostic));
    };
    if (environment.is_secure()) {
        for (const char* name :
             {"TOPRESS_PLUGIN_PATH", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}) {
            if (!environment.given(name).empty()) {
                warn(name,
                     "the program runs with more rights than its caller",
                     "run topress without set-user-id and without capabilities");
            }
        }
        return;
    }
    for (const char* name : {"XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}) {
        const fs::path value = environment.given(name);
        if (!value.empty() && value.is_relative()) {
            warn(name, "it would depend on the current folder", "use an absolute path");
        }
    }
}

// A mistake in the rules must not let through what they forbid.
void load_rules(SearchPaths& paths, const fs::path& config_folder) {
    if (config_folder.empty()) {
        return;
    }
    TrustChecker trust(paths.trust);
    Diagnostics found;
    paths.rules = load_user_rules(config_folder / "topress/config.toml", trust, found);
    if (has_errors(found)) {
        throw DiagnosticError(std::move(found));
    }
}

fs::path program_location() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path() : program;
}

}  // namespace

SearchPaths make_search_paths(const SearchInputs& inputs) {
    SearchPaths paths;
    for (const fs::path& path : inputs.command_line) {
        add(paths, fs::absolute(path), "--plugin-path", true);
    }
    for (const fs::path& path : inputs.configuration) {
        add(paths, fs::absolute(path), "configuration", true);
    }
    add_environment(paths, inputs.environment);
    if (!inputs.user_data.empty()) {
        add(paths, inputs.user_data / kPluginFolder, "user data folder", false);
    }
    if (!inputs.executable.empty()) {
        const fs::path prefix = inputs.executable.parent_path().parent_path();
        add(paths, prefix / "lib" / kPluginFolder, kBesideTheProgram, false);
    }
    return paths;
}

SearchPaths standard_search_paths(const std::vector<fs::path>& command_line,
                                  const std::vector<fs::path>& configuration,
                                  const UserEnvironment& environment) {
    SearchPaths paths = make_search_paths({command_line,
                                           configuration,
                                           environment.value("TOPRESS_PLUGIN_PATH"),
                                           environment.data_folder(),
                                           program_location()});
    add_ignored_variables(paths, environment);
    load_rules(paths, environment.config_folder());
    return paths;
}

}  // namespace topress::plugin
