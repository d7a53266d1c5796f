// report.html: one self-contained page made from the documents of a run.
#pragma once

#include "pipeline/documents.hpp"

#include <filesystem>
#include <string>

namespace topress::pipeline {

/// The page for a ledger (the `run` document) and its plan (the `plan` document, or null). Loads
/// nothing from the network; a drawing of the order is in it if Graphviz is installed.
[[nodiscard]] std::string render_report(const Json& ledger, const Json& plan);

/// Writes report.html anew from ledger.json and plan.json of an output directory.
/// Throws: Error{report/no-ledger} when there is no readable ledger; {file/cannot-write}.
/// Returns the path of the report.
std::filesystem::path rewrite_report(const std::filesystem::path& directory);

}  // namespace topress::pipeline
