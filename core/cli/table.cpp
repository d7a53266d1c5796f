// Text tables.
#include "cli/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace topress::cli {
namespace {

std::string line_of(const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& widths,
                    std::size_t left_columns) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
        const std::string padding(widths[column] - cells[column].size(), ' ');
        line += column == 0 ? "" : "  ";
        line += column < left_columns ? cells[column] + padding : padding + cells[column];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

}  // namespace

std::string render_table(const std::vector<std::string>& head,
                         const std::vector<std::vector<std::string>>& lines,
                         std::size_t left_columns) {
    std::vector<std::size_t> widths;
    std::vector<std::string> rule;
    for (std::size_t column = 0; column < head.size(); ++column) {
        std::size_t width = head[column].size();
        for (const std::vector<std::string>& line : lines) {
            width = std::max(width, line[column].size());
        }
        widths.push_back(width);
        rule.emplace_back(width, '-');
    }
    std::string text = line_of(head, widths, left_columns) + line_of(rule, widths, left_columns);
    for (const std::vector<std::string>& line : lines) {
        text += line_of(line, widths, left_columns);
    }
    return text;
}

std::string grouped(double value) {
    char digits[64];
    std::snprintf(digits, sizeof digits, "%.0f", value);
    std::string text = digits;
    const std::ptrdiff_t first = text.front() == '-' ? 1 : 0;
    for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > first; place -= 3) {
        text.insert(static_cast<std::size_t>(place), 1, ',');
    }
    return text;
}

std::string with_unit(double value) {
    static const char* const kUnits[] = {"", " k", " M", " G", " T", " P", " E"};
    std::size_t unit = 0;
    while (std::abs(value) >= 999.5 && unit + 1 < std::size(kUnits)) {
        value /= 1000;
        ++unit;
    }
    char text[32];
    const int digits = unit == 0 || std::abs(value) >= 99.95 ? 0 : std::abs(value) >= 9.995 ? 1 : 2;
    std::snprintf(text, sizeof text, "%.*f%s", digits, value, kUnits[unit]);
    return text;
}

std::string fixed(double value, int digits) {
    if (!std::isfinite(value)) {
        return "-";
    }
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string significant(double value, int digits) {
    if (!std::isfinite(value)) {
        return "-";
    }
    char text[64];
    std::snprintf(text, sizeof text, "%#.*g", digits, value);
    return text;
}

std::string percent(double ratio) {
    return std::isfinite(ratio) ? fixed(100 * ratio, 2) + " %" : "-";
}

}  // namespace topress::cli
