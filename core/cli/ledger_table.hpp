// The ledger as a table for people.
#pragma once

#include "pipeline/ledger.hpp"

#include <string>
#include <vector>

namespace topress::cli {

/// A row a line, and below it which figures are measured.
[[nodiscard]] std::string ledger_table(const std::vector<pipeline::Row>& rows);

}  // namespace topress::cli
