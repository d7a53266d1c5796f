// Cells of CSV files (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace topress {

/// The text as one cell: in quotes where it holds a comma, a quote or a line break.
[[nodiscard]] std::string csv_cell(std::string_view text);

}  // namespace topress
