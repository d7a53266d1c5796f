// targets.csv: what is to be predicted about each picture of a folder, as numbers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace topress::data {

/// One picture and its numbers.
struct TargetRow {
    std::string file;             ///< as written, relative to the table's folder
    std::vector<double> numbers;  ///< finite, one for each target
    int line = 0;                 ///< 1-based
};

/// A table as read: at least one target, at least one row, all of one length.
struct TargetTable {
    std::filesystem::path path;
    std::vector<std::string> targets;
    std::vector<TargetRow> rows;

    /// "FOLDER/targets.csv:3".
    [[nodiscard]] std::string where(int line) const;
};

/// Cells are separated by commas; one in quotes may hold commas and, doubled, quotes. Empty lines
/// count for nothing.
/// Throws: Error{data/not-found}, {data/bad-table} with file and line for a missing or doubled
/// column, a row of another length, a cell that is no finite number, a file named twice, no row.
[[nodiscard]] TargetTable read_target_table(const std::filesystem::path& path);

}  // namespace topress::data
