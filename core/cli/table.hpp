// Plain text tables and figures for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace topress::cli {

/// Columns wide enough for their cells, two spaces apart; the first `left_columns` flush left, the
/// others flush right; a rule below the head.
[[nodiscard]] std::string render_table(const std::vector<std::string>& head,
                                       const std::vector<std::vector<std::string>>& lines,
                                       std::size_t left_columns = 1);

/// "1,159,402,496"; a fraction is rounded.
[[nodiscard]] std::string grouped(double value);
/// "1.16 G".
[[nodiscard]] std::string with_unit(double value);
/// Fixed number of digits; "-" for what is not a number.
[[nodiscard]] std::string fixed(double value, int digits);
/// So many digits, wherever the point is: 0.01234, 12.34; "-" for what is not a number.
[[nodiscard]] std::string significant(double value, int digits);
/// 0.9012 -> "90.12 %"; "-" for what is not a number.
[[nodiscard]] std::string percent(double ratio);

}  // namespace topress::cli
