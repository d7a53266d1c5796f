// report.html of an exploration: one self-contained page made from explore.json.
#pragma once

#include "pipeline/documents.hpp"

#include <filesystem>
#include <string>

namespace topress::pipeline {

/// The page for the document of `topress explore` (explore.json), finished or not. Loads nothing
/// from the network.
[[nodiscard]] std::string render_exploration(const Json& document);

/// Whether the directory is that of an exploration: it has an explore.json.
[[nodiscard]] bool holds_exploration(const std::filesystem::path& directory);

/// explore.json of a directory. Throws Error{report/no-exploration} when there is none or it is not
/// one.
[[nodiscard]] Json read_exploration(const std::filesystem::path& directory);

/// Writes report.html anew from explore.json. Returns the path of the report.
/// Throws: Error{report/no-exploration}; {file/cannot-write}.
std::filesystem::path rewrite_exploration_report(const std::filesystem::path& directory);

}  // namespace topress::pipeline
