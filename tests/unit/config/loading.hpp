// Loads texts for the tests of the configuration and shortens what was found.
#pragma once

#include "config/load.hpp"

#include <algorithm>
#include <string>
#include <vector>

/// What every configuration needs; texts of the tests are appended.
inline const std::string kNeeded =
    "schema = 1\n"
    "[model]\n"
    "architecture = \"resnet\"\n"
    "[data]\n"
    "dataset = \"cifar10\"\n";

inline topress::config::LoadResult load_text(const std::string& text,
                                             const std::vector<std::string>& overrides = {}) {
    return topress::config::load_text(text, "/folder/run.toml", overrides);
}

/// "code line:column", one per diagnostic, in the order reported.
inline std::vector<std::string> found_in(const topress::config::LoadResult& result) {
    std::vector<std::string> found;
    for (const topress::Diagnostic& diagnostic : result.diagnostics) {
        found.push_back(diagnostic.code + " " + std::to_string(diagnostic.location.line) + ":" +
                        std::to_string(diagnostic.location.column));
    }
    return found;
}

using Found = std::vector<std::string>;
