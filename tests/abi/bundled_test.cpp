// Every bundled plugin passes the gates of the program built beside it.
#include "plugin/catalog.hpp"
#include "plugin/host_fingerprint.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace topress::plugin;

TEST_CASE("bundled: every plugin of this build is loadable by this build") {
    SearchInputs inputs;
    inputs.command_line = {std::filesystem::path(TOPRESS_TEST_BINARY_FOLDER) /
                           "lib/topress/plugins"};
    const Catalog catalog = find_plugins(make_search_paths(inputs), host_fingerprint());
    CHECK_FALSE(catalog.entries.empty());
    for (const CatalogEntry& entry : catalog.entries) {
        CHECK_MESSAGE(entry.is_active(), render(entry.refusal));
    }
}
