// ledger.json as an exploration reads it.
#include "explore/result.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

namespace topress::explore {
namespace {

using pipeline::Json;

constexpr const char* kKeyFile = "branch.key";

StageFigures figures_of(const Json& row) {
    StageFigures figures;
    figures.label = row.at("stage").get<std::string>();
    figures.accuracy = row.at(row.contains("r2") ? "r2" : "accuracy").get<double>();
    figures.macs = row.at("macs").get<double>();
    figures.bitops = row.at("bitops").get<double>();
    figures.bitops_cr = row.at("bitops_cr").get<double>();
    figures.cr = row.at("cr").get<double>();
    figures.stored_bytes = row.at("stored_bytes").get<double>();
    figures.seconds = row.at("seconds").get<double>();
    figures.computed = !row.value("resumed", false) && !row.value("from_cache", false);
    return figures;
}

void note_error(const Json& ledger, BranchResult& result) {
    for (const Json& diagnostic : ledger.at("diagnostics")) {
        if (diagnostic.at("severity") == "error") {
            result.error_code = diagnostic.at("code").get<std::string>();
            result.error = diagnostic.at("message").get<std::string>();
            return;
        }
    }
}

}  // namespace

const char* to_string(BranchResult::State state) {
    switch (state) {
        case BranchResult::State::Pending:
            return "pending";
        case BranchResult::State::Running:
            return "running";
        case BranchResult::State::Finished:
            return "finished";
        case BranchResult::State::Failed:
            break;
    }
    return "failed";
}

BranchResult read_result(const std::filesystem::path& directory) {
    BranchResult result;
    result.state = BranchResult::State::Failed;
    try {
        const Json ledger = Json::parse(read_file(directory / "ledger.json"));
        for (const Json& row : ledger.at("rows")) {
            result.stages.push_back(figures_of(row));
        }
        if (ledger.at("state") == "finished" && !result.stages.empty()) {
            result.state = BranchResult::State::Finished;
        } else {
            note_error(ledger, result);
        }
    } catch (const std::exception& error) {
        result.error_code = "explore/no-ledger";
        result.error = error.what();
    }
    return result;
}

bool is_finished_under(const std::filesystem::path& directory, const std::string& key) {
    try {
        return read_file(directory / kKeyFile) == key;
    } catch (const Error&) {
        return false;
    }
}

void mark_finished(const std::filesystem::path& directory, const std::string& key) {
    write_file_atomically(directory / kKeyFile, key);
}

}  // namespace topress::explore
