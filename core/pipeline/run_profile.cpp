// Starts and ends the recording, and words it.
#include "pipeline/run_profile.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/profile.hpp"
#include "pipeline/documents.hpp"

#include <algorithm>
#include <cstdio>

namespace topress::pipeline {
namespace {

constexpr std::size_t kRows = 20;

std::string row_of(const profile::Entry& entry, double all_s) {
    char text[200];
    std::snprintf(text,
                  sizeof text,
                  "%-44.44s %-18s %9llu %9.2f %6.1f %% %9.2f",
                  entry.name.c_str(),
                  entry.category.c_str(),
                  static_cast<unsigned long long>(entry.count),
                  entry.self_s,
                  all_s > 0 ? 100 * entry.self_s / all_s : 0,
                  entry.total_s);
    return text;
}

/// The trace-event format of Chrome and Perfetto: complete events, times in microseconds.
std::string chrome_trace() {
    const profile::Trace trace = profile::trace();
    std::string text = R"({"displayTimeUnit":"ms","otherData":{"left_out":)";
    text.append(std::to_string(trace.left_out)).append(R"(},"traceEvents":[)");
    const char* separator = "\n";
    for (const profile::Event& event : trace.events) {
        const Json line = {{"ph", "X"},
                           {"name", event.name},
                           {"cat", event.category},
                           {"ts", event.start_s * 1e6},
                           {"dur", event.duration_s * 1e6},
                           {"pid", 1},
                           {"tid", event.thread}};
        text.append(separator).append(line.dump());  // event by event: all at once take a gigabyte
        separator = ",\n";
    }
    return text.append("\n]}\n");
}

}  // namespace

std::vector<std::string> profile_table(std::size_t rows) {
    const std::vector<profile::Entry> entries = profile::summary();
    double all_s = 0;
    for (const profile::Entry& entry : entries) {
        all_s += entry.self_s;
    }
    char head[200];
    std::snprintf(head,
                  sizeof head,
                  "%-44s %-18s %9s %9s %8s %9s",
                  "name",
                  "kind",
                  "calls",
                  "self, s",
                  "share",
                  "total, s");
    std::vector<std::string> table{head};
    for (std::size_t i = 0; i < std::min(rows, entries.size()); ++i) {
        table.push_back(row_of(entries[i], all_s));
    }
    return table;
}

RunProfile::RunProfile() {
    profile::start();
    operators_ = std::make_unique<train::OperatorProfile>();
}

void RunProfile::finish(const std::filesystem::path& folder) {
    operators_.reset();
    profile::stop();
    write_file_atomically(folder / "profile.json", chrome_trace());
    log::info("where the time went:");
    for (const std::string& line : profile_table(kRows)) {
        log::info(line);
    }
    log::info("trace: " + (folder / "profile.json").string());
}

}  // namespace topress::pipeline
