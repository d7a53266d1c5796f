// Cells and columns of the ledger.
#include "cli/ledger_table.hpp"

#include "cli/table.hpp"

#include <algorithm>
#include <cmath>

namespace topress::cli {
namespace {

std::vector<std::string> cells_of(const pipeline::Row& row) {
    return {row.stage,
            row.technique.empty() ? "-" : row.technique,
            percent(row.accuracy),
            row.test_accuracy ? percent(*row.test_accuracy) : "",
            with_unit(row.macs),
            with_unit(row.bitops),
            fixed(row.bitops_cr, 2) + "x",
            with_unit(row.parameters),
            fixed(row.cr, 2) + "x",
            fixed(row.latency_ms, 2),
            fixed(row.seconds, 1)};
}

// Stages may have run in several processes: the largest of them.
std::string peak_memory(const std::vector<pipeline::Row>& rows) {
    double bytes = 0;
    for (const pipeline::Row& row : rows) {
        bytes = std::max(bytes, row.peak_memory_bytes);
    }
    return std::to_string(std::llround(bytes / (1 << 20))) + " MiB";
}

}  // namespace

std::string ledger_table(const std::vector<pipeline::Row>& rows) {
    std::vector<std::vector<std::string>> lines;
    for (const pipeline::Row& row : rows) {
        lines.push_back(cells_of(row));
    }
    return render_table({"stage",
                         "technique",
                         "accuracy",
                         "test",
                         "MACs",
                         "BitOps",
                         "BitOpsCR",
                         "params",
                         "CR",
                         "ms/batch",
                         "seconds"},
                        lines,
                        2) +
           "accuracy, ms and seconds are measured (accuracy on the validation split), the rest is "
           "computed\npeak memory: " +
           peak_memory(rows) + ", LibTorch included\n";
}

}  // namespace topress::cli
