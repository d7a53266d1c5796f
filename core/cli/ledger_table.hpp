// The ledger as a table for people.
#pragma once

#include "pipeline/ledger.hpp"

#include <string>
#include <vector>

namespace topress::cli {

/// "90.12 %", or for regression "error 3.214".
[[nodiscard]] std::string score_of(const pipeline::Row& row);

/// An error in the unit of its target.
[[nodiscard]] std::string error_text(double error);

/// A row a line, and below it which figures are measured.
[[nodiscard]] std::string ledger_table(const std::vector<pipeline::Row>& rows);

}  // namespace topress::cli
