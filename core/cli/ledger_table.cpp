// Cells and columns of the ledger.
#include "cli/ledger_table.hpp"

#include "cli/table.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace topress::cli {
namespace {

std::vector<std::string> scores_of(const pipeline::Row& row) {
    if (row.error) {
        return {error_text(*row.error),
                fixed(row.accuracy, 4),
                row.test_error ? error_text(*row.test_error) : ""};
    }
    return {percent(row.accuracy), row.test_accuracy ? percent(*row.test_accuracy) : ""};
}

std::vector<std::string> costs_of(const pipeline::Row& row) {
    return {with_unit(row.macs),
            with_unit(row.bitops),
            fixed(row.bitops_cr, 2) + "x",
            with_unit(row.parameters),
            fixed(row.cr, 2) + "x",
            fixed(row.latency_ms, 2),
            fixed(row.seconds, 1)};
}

std::vector<std::string> cells_of(const pipeline::Row& row) {
    std::vector<std::string> cells = {row.stage, row.technique.empty() ? "-" : row.technique};
    std::ranges::move(scores_of(row), std::back_inserter(cells));
    std::ranges::move(costs_of(row), std::back_inserter(cells));
    return cells;
}

// Stages may have run in several processes: the largest of them.
std::string peak_memory(const std::vector<pipeline::Row>& rows) {
    double bytes = 0;
    for (const pipeline::Row& row : rows) {
        bytes = std::max(bytes, row.peak_memory_bytes);
    }
    return std::to_string(std::llround(bytes / (1 << 20))) + " MiB";
}

// What the figures of a regression are; the error of each target where there are several.
std::string explain_errors(const std::vector<pipeline::Row>& rows) {
    std::string text =
        "error is the root mean square in the unit of the target, on the validation split; R2 the "
        "share of the\nvariance that is explained; errors, ms and seconds are measured, the rest "
        "is computed\n";
    const auto& last = rows.back().errors;
    if (last.size() > 1) {
        text += "error is the mean over the targets, of the last row:";
        for (const auto& [target, error] : last) {
            text.append(" ").append(target).append(" ").append(error_text(error));
        }
        text += "\n";
    }
    return text;
}

}  // namespace

std::string error_text(double error) {
    return significant(error, 4);
}

std::string score_of(const pipeline::Row& row) {
    return row.error ? std::string("error ").append(error_text(*row.error)) : percent(row.accuracy);
}

std::string ledger_table(const std::vector<pipeline::Row>& rows) {
    const bool is_regression = !rows.empty() && rows.front().error.has_value();
    std::vector<std::string> head = {"stage", "technique"};
    for (const char* name : is_regression ? std::vector{"error", "R2", "test error"}
                                          : std::vector{"accuracy", "test"}) {
        head.emplace_back(name);
    }
    for (const char* name : {"MACs", "BitOps", "BitOpsCR", "params", "CR", "ms/batch", "seconds"}) {
        head.emplace_back(name);
    }
    std::vector<std::vector<std::string>> lines;
    for (const pipeline::Row& row : rows) {
        lines.push_back(cells_of(row));
    }
    const std::string explained =
        is_regression ? explain_errors(rows)
                      : "accuracy, ms and seconds are measured (accuracy on the validation split), "
                        "the rest is computed\n";
    return render_table(head, lines, 2) + explained + "peak memory: " + peak_memory(rows) +
           ", LibTorch included\n";
}

}  // namespace topress::cli
