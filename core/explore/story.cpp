// A run of an exploration is told as one stage: its last row under its name.
#include "explore/story.hpp"

#include <algorithm>
#include <limits>

namespace topress::explore {
namespace {

pipeline::Row row_of(const std::string& name, const BranchResult& result) {
    const StageFigures& figures = result.final();
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    pipeline::Row row;
    row.stage = name;
    row.accuracy = figures.accuracy;
    row.macs = figures.macs;
    row.bitops = figures.bitops;
    row.bitops_cr = figures.bitops_cr;
    row.stored_bytes = figures.stored_bytes;
    row.cr = figures.cr;
    row.parameters = kNone;
    row.latency_ms = kNone;
    row.latency_ratio = kNone;
    for (const StageFigures& stage : result.stages) {
        row.seconds += stage.computed ? stage.seconds : 0;
    }
    return row;
}

}  // namespace

Story::Story(const std::filesystem::path& directory) : recorder_(directory, false) {
    events_ = recorder_.observe(nobody_);
}

void Story::started(const Experiment& experiment, const Results& found) {
    runs_.clear();
    for (const Round& round : experiment.rounds) {
        for (const Sequence& order : experiment.orders) {
            runs_.push_back({runs_.size(), 0, branch_name(round, order), ""});
        }
    }
    const std::string config = experiment.plan.config.file;
    recorder_.started(std::filesystem::path(config).filename().string(), runs_, false);
    for (std::size_t round = 0; round < found.size(); ++round) {
        for (std::size_t order = 0; order < found[round].size(); ++order) {
            if (found[round][order].state == BranchResult::State::Finished) {
                run_finished(
                    experiment.rounds[round], experiment.orders[order], found[round][order]);
            }
        }
    }
}

void Story::run_started(const Round& round, const Sequence& order) {
    const auto run =
        std::ranges::find(runs_, branch_name(round, order), &pipeline::StageStart::label);
    if (run != runs_.end()) {
        events_.stage_started(*run);
    }
}

void Story::run_finished(const Round& round, const Sequence& order, const BranchResult& result) {
    if (result.state == BranchResult::State::Finished) {
        rows_.push_back(row_of(branch_name(round, order), result));
        events_.row_finished(rows_.back());
    }
}

void Story::ended(const std::string& state, const Diagnostics& diagnostics) {
    pipeline::Ledger ledger;
    ledger.state = state;
    ledger.diagnostics = diagnostics;
    recorder_.ended(ledger);
}

}  // namespace topress::explore
