// A report for people, programs and continuous integration.
#pragma once

#include "conformance/run_checks.hpp"
#include "pipeline/documents.hpp"

#include <string>

namespace topress::conformance {

/// One line for each check by group, then every problem with its details and its command.
[[nodiscard]] std::string to_text(const Report& report, bool verbose);

/// Adds `file`, `plugin`, `version`, `seed`, `seconds`, `summary` and `checks`.
void add_report(pipeline::Json& document, const Report& report);

/// As JUnit XML: a suite for each group; a warning passes, with its text as output.
[[nodiscard]] std::string to_junit(const Report& report);

/// Ids, groups and descriptions of all checks.
[[nodiscard]] std::string list_text();
void add_list(pipeline::Json& document);

}  // namespace topress::conformance
