// The committed reference page is the one that the schema renders.
#include "config/document.hpp"

#include "base/files.hpp"
#include "config/schema.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

namespace config = topress::config;

TEST_CASE("document: docs/configuration.md is up to date") {
    const std::string path =
        std::string(std::getenv("TOPRESS_TEST_SOURCE_DIR")) + "/docs/configuration.md";
    if (std::getenv("TOPRESS_UPDATE_GOLDEN") != nullptr) {
        topress::write_file_atomically(path, config::document());
    }
    CHECK(topress::read_file(path) == config::document());
}

TEST_CASE("document: every key of the schema has a sentence and a row") {
    const std::string page = config::document();
    for (const config::Section& section : config::schema()) {
        for (const config::Key& key : section.keys) {
            CAPTURE(section.name);
            CAPTURE(key.spec.name);
            CHECK(key.spec.doc.ends_with('.'));
            CHECK(page.find("| `" + key.spec.name + "` | ") != std::string::npos);
        }
    }
}

TEST_CASE("document: a row shows type default range unit and meaning") {
    config::ParameterSpec spec;
    spec.name = "macs_ratio";
    spec.type = config::ParameterType::Number;
    spec.default_value = 0.5;
    spec.minimum = 0.05;
    spec.maximum = 1;
    spec.unit = "of the MACs";
    spec.doc = "This | that.";
    const std::string text = config::document_parameters({spec});
    CHECK(text.ends_with(
        "| `macs_ratio` | number | `0.5` | 0.05 to 1 of the MACs | This \\| that. |\n"));
}
