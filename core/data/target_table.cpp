// Reads targets.csv line by line; every mistake is told with its line.
#include "data/target_table.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "data/formats.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestTableBytes = std::size_t{1} << 30;

// `what` is put together from its parts.
[[noreturn]] void fail(const TargetTable& table,
                       int line,
                       std::initializer_list<std::string_view> what,
                       const std::string& hint) {
    std::string message;
    for (const std::string_view part : what) {
        message.append(part);
    }
    throw Error("data/bad-table", message, table.where(line), hint);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// One cell from `line` on, which then begins behind the comma; nothing for a quote without an end.
std::optional<std::string> take_cell(std::string_view& line) {
    const std::string_view rest = trimmed(line);
    if (!rest.starts_with('"')) {
        const std::size_t comma = std::min(line.find(','), line.size());
        const std::string cell(trimmed(line.substr(0, comma)));
        line.remove_prefix(comma);
        return cell;
    }
    line.remove_prefix(line.find('"') + 1);
    std::string cell;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '"') {
            cell += line[i];
        } else if (i + 1 < line.size() && line[i + 1] == '"') {
            cell += line[i++];
        } else {
            line.remove_prefix(std::min(line.find(',', i), line.size()));
            return cell;
        }
    }
    return std::nullopt;
}

std::vector<std::string> split_line(const TargetTable& table, int number, std::string_view line) {
    std::vector<std::string> cells;
    while (true) {
        const auto cell = take_cell(line);
        if (!cell) {
            fail(
                table, number, {"a cell begins with a quote that does not end"}, "close the quote");
        }
        cells.push_back(*cell);
        if (line.empty()) {
            return cells;
        }
        line.remove_prefix(1);  // the comma
    }
}

void read_head(TargetTable& table, int number, const std::vector<std::string>& cells) {
    if (cells.size() < 2) {
        fail(table,
             number,
             {"the head names ",
              std::to_string(cells.size()),
              " column, a file name and at least one target are expected"},
             "begin with a line such as: file,angle");
    }
    table.targets.assign(cells.begin() + 1, cells.end());
    for (std::size_t i = 0; i < table.targets.size(); ++i) {
        const std::string& name = table.targets[i];
        const bool is_taken = std::find(table.targets.begin(), table.targets.begin() + i, name) !=
                              table.targets.begin() + i;
        if (name.empty()) {
            fail(table,
                 number,
                 {"column ", std::to_string(i + 2), " has no name"},
                 "give every target a name");
        }
        if (is_taken) {
            fail(table,
                 number,
                 {"two columns are named '", name, "'"},
                 "give every target a name of its own");
        }
    }
}

double read_number(const TargetTable& table,
                   int number,
                   const std::string& target,
                   std::string_view cell) {
    double value = 0;
    const std::string_view digits = cell.starts_with('+') ? cell.substr(1) : cell;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    const bool is_number = error == std::errc() && stop == end;
    if (!is_number || !std::isfinite(value)) {
        fail(table,
             number,
             {"'", cell, "' in column '", target, "' is ", is_number ? "not finite" : "no number"},
             "write a number such as 12.5, or leave the picture out");
    }
    return value;
}

TargetRow read_row(const TargetTable& table, int number, const std::vector<std::string>& cells) {
    const std::size_t expected = table.targets.size() + 1;
    if (cells.size() != expected) {
        fail(table,
             number,
             {"a row of ",
              std::to_string(cells.size()),
              " cells below a head of ",
              std::to_string(expected)},
             "give every row as many cells as the head has columns");
    }
    TargetRow row{cells.front(), {}, number};
    for (std::size_t i = 0; i < table.targets.size(); ++i) {
        row.numbers.push_back(read_number(table, number, table.targets[i], cells[i + 1]));
    }
    return row;
}

void refuse_doubled(const TargetTable& table) {
    std::map<std::string, int> lines;
    for (const TargetRow& row : table.rows) {
        const auto [known, is_new] = lines.emplace(row.file, row.line);
        if (!is_new) {
            fail(table,
                 row.line,
                 {"'", row.file, "' has a row already, in line ", std::to_string(known->second)},
                 "keep one of the two");
        }
    }
}

}  // namespace

std::string TargetTable::where(int line) const {
    return path.string() + ":" + std::to_string(line);
}

TargetTable read_target_table(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
        throw_missing(path, "numbers to predict are expected in train/ and test/ alike");
    }
    const std::string text = read_file(path, kLargestTableBytes);
    TargetTable table{path, {}, {}};
    int number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (trimmed(line).empty()) {
            continue;
        }
        const std::vector<std::string> cells = split_line(table, number, line);
        if (table.targets.empty()) {
            read_head(table, number, cells);
        } else {
            table.rows.push_back(read_row(table, number, cells));
        }
    }
    if (table.rows.empty()) {
        fail(table, std::max(1, number), {"the table has no rows"}, "add a row for every picture");
    }
    refuse_doubled(table);
    return table;
}

}  // namespace topress::data
