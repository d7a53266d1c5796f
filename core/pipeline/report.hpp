// report.html: one self-contained page made from the documents of a run.
#pragma once

#include "pipeline/documents.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::pipeline {

/// The page for a ledger (the `run` document) and its plan (the `plan` document, or null). Loads
/// nothing from the network; a drawing of the order is in it if Graphviz is installed.
[[nodiscard]] std::string render_report(const Json& ledger, const Json& plan);

/// A run by the name it has in a comparison.
struct NamedLedger {
    std::string name;
    Json ledger;
};

/// One page with several runs beside each other.
[[nodiscard]] std::string render_comparison(const std::vector<NamedLedger>& runs);

/// ledger.json of an output directory. Throws Error{report/no-ledger} when there is none or it is
/// not one.
[[nodiscard]] Json read_ledger(const std::filesystem::path& directory);

/// Writes report.html anew from ledger.json and plan.json of an output directory.
/// Throws: Error{report/no-ledger} when there is no readable ledger; {file/cannot-write}.
/// Returns the path of the report.
std::filesystem::path rewrite_report(const std::filesystem::path& directory);

}  // namespace topress::pipeline
