// Where plugins are looked for, and what the environment may say about it.
#include "plugin/search_paths.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

using Variables = std::map<std::string, std::string>;

UserEnvironment environment(Variables variables, bool is_secure = false) {
    return {[variables = std::move(variables)](const char* name) -> const char* {
                const auto found = variables.find(name);
                return found == variables.end() ? nullptr : found->second.c_str();
            },
            is_secure};
}

bool has_place(const SearchPaths& paths, const fs::path& path) {
    for (const SearchPath& place : paths.places) {
        if (place.path == path) {
            return true;
        }
    }
    return false;
}

std::vector<std::string> codes(const Diagnostics& diagnostics) {
    std::vector<std::string> found;
    for (const Diagnostic& diagnostic : diagnostics) {
        found.push_back(diagnostic.code);
    }
    return found;
}

}  // namespace

TEST_CASE("search_paths: the order is command line, configuration, environment, user, program") {
    SearchInputs inputs;
    inputs.executable = "/opt/topress/bin/topress";
    inputs.user_data = "/home/me/.local/share";
    inputs.environment = "/env/a:/env/b";
    inputs.configuration = {"/config/plugins"};
    inputs.command_line = {"/named"};
    std::vector<std::string> found;
    for (const SearchPath& place : make_search_paths(inputs).places) {
        found.push_back(place.path.string());
    }
    CHECK(found == std::vector<std::string>{"/named",
                                            "/config/plugins",
                                            "/env/a",
                                            "/env/b",
                                            "/home/me/.local/share/topress/plugins",
                                            "/opt/topress/lib/topress/plugins"});
}

TEST_CASE("search_paths: the environment never means the current folder") {
    SearchInputs inputs;
    inputs.environment = ":/env/a::relative:.";
    const SearchPaths paths = make_search_paths(inputs);
    REQUIRE(paths.places.size() == 1);
    CHECK(paths.places[0].path == "/env/a");
    CHECK(paths.diagnostics.size() == 4);
    for (const Diagnostic& diagnostic : paths.diagnostics) {
        CHECK(diagnostic.code == "plugin/path-ignored");
    }
}

TEST_CASE("search_paths: a relative --plugin-path becomes absolute") {
    SearchInputs inputs;
    inputs.command_line = {"some/folder"};
    for (const SearchPath& place : make_search_paths(inputs).places) {
        CHECK(place.path == fs::current_path() / "some/folder");
    }
}

TEST_CASE("search_paths: the standard ones end beside the program") {
    const SearchPaths paths = standard_search_paths({}, {});
    REQUIRE_FALSE(paths.places.empty());
    const fs::path program = fs::read_symlink("/proc/self/exe");
    CHECK(paths.places.back().path == program.parent_path().parent_path() / "lib/topress/plugins");
}

TEST_CASE("search_paths: the user's folders follow XDG, and HOME without it") {
    const TemporaryFolder folder;
    const std::string home = folder.path().string();
    CHECK(has_place(standard_search_paths({}, {}, environment({{"HOME", home}})),
                    folder.path() / ".local/share/topress/plugins"));
    CHECK(has_place(standard_search_paths(
                        {}, {}, environment({{"HOME", home}, {"XDG_DATA_HOME", home + "/data"}})),
                    folder.path() / "data/topress/plugins"));
}

TEST_CASE("search_paths: a relative XDG folder is ignored and told") {
    const SearchPaths paths =
        standard_search_paths({}, {}, environment({{"XDG_DATA_HOME", "data"}}));
    CHECK(codes(paths.diagnostics) == std::vector<std::string>{"plugin/environment-ignored"});
    CHECK(paths.places.size() == 1);  // beside the program
}

TEST_CASE("search_paths: with more rights than the caller nothing of the environment counts") {
    const TemporaryFolder folder;
    const std::string home = folder.path().string();
    fs::create_directories(folder.path() / "config/topress");
    std::ofstream(folder.path() / "config/topress/config.toml") << "no TOML at all";
    const Variables variables = {{"HOME", home},
                                 {"TOPRESS_PLUGIN_PATH", "/env/a"},
                                 {"XDG_DATA_HOME", home + "/data"},
                                 {"XDG_CONFIG_HOME", home + "/config"}};
    CHECK_THROWS_AS((void)standard_search_paths({}, {}, environment(variables)), DiagnosticError);
    const SearchPaths paths = standard_search_paths({}, {}, environment(variables, true));
    CHECK(paths.places.size() == 1);  // beside the program
    CHECK(paths.rules.file.empty());
    CHECK(codes(paths.diagnostics) == std::vector<std::string>(3, "plugin/environment-ignored"));
    CHECK(environment(variables, true).cache_folder().empty());
    CHECK(environment(variables).cache_folder() == folder.path() / ".cache");
}

TEST_CASE("search_paths: mistakes in the user configuration end the search") {
    const TemporaryFolder folder;
    fs::create_directories(folder.path() / "topress");
    std::ofstream(folder.path() / "topress/config.toml")
        << "schema = 1\n[plugins]\nalow = [\"org.example.x\"]\n";
    const UserEnvironment user = environment({{"XDG_CONFIG_HOME", folder.path().string()}});
    try {
        (void)standard_search_paths({}, {}, user);
        FAIL("no error");
    } catch (const DiagnosticError& error) {
        REQUIRE(error.diagnostics().size() == 1);
        CHECK(error.diagnostics()[0].code == "config/unknown-key");
        CHECK(error.diagnostics()[0].location.line == 3);
        CHECK(error.status() == ExitStatus::Configuration);
    }
}
