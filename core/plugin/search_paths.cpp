// The search order: explicit places first, then the user's, then those beside the program.
#include "plugin/search_paths.hpp"

#include <cstdlib>
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

std::string environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

fs::path user_data_folder() {
    const fs::path data = environment_variable("XDG_DATA_HOME");
    if (data.is_absolute()) {
        return data;
    }
    const fs::path home = environment_variable("HOME");
    return home.is_absolute() ? home / ".local/share" : fs::path();
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
                                  const std::vector<fs::path>& configuration) {
    return make_search_paths({command_line,
                              configuration,
                              environment_variable("TOPRESS_PLUGIN_PATH"),
                              user_data_folder(),
                              program_location()});
}

}  // namespace topress::plugin
