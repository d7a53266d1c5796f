// The end of a stage is the same for the baseline and for every technique.
#include "pipeline/context.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/profile.hpp"
#include "network/serialize.hpp"
#include "pipeline/layers.hpp"
#include "pipeline/measure.hpp"

#include <cmath>
#include <limits>

namespace topress::pipeline {
namespace {

/// The network as a reader of its file will have it: later stages and evaluations then see the same
/// bytes and memory layout whether the run went through or was resumed.
network::Network as_saved(const network::Network& network) {
    return network::from_bytes(network::to_bytes(network), "the stage's result");
}

}  // namespace

void RunContext::stop_if_cancelled() const {
    if (options.cancelled && options.cancelled()) {
        throw Error("run/interrupted", "stopped by the user");
    }
}

void RunContext::announce(std::size_t index,
                          const std::string& label,
                          const std::string& technique) {
    loss_watch.begin(label);
    if (options.observer.stage_started) {
        options.observer.stage_started({index, plan.stages.size(), label, technique});
    }
}

void RunContext::finish_stage(network::Network network, Row row, Diagnostics findings) {
    const Diagnostics jumps = loss_watch.take();
    findings.insert(findings.end(), jumps.begin(), jumps.end());
    network = as_saved(network);
    network.to(trainer->device());
    const train::Evaluation evaluation = evaluate_plainly(*trainer, network, data.validation);
    record_shares(network, evaluation);
    if (ledger.rows.empty()) {
        baseline_cost = network::cost_of(network);
        baseline = network;
    }
    Row measured = make_row(row.stage, row.technique, network, baseline_cost);
    measured.accuracy = evaluation.accuracy;
    measured.error = evaluation.error;
    measured.errors = name_errors(data.targets, evaluation);
    measured.exits = exit_figures(network, evaluation);
    measured.seconds = row.seconds;
    measured.metrics = std::move(row.metrics);
    measured.curves = std::move(row.curves);
    measured.recalibrated = std::move(row.recalibrated);
    measure_latency_of(network, measured);
    measured.peak_memory_bytes = peak_memory_bytes();
    Checkpoint finished{std::move(network), std::move(measured), std::move(findings)};
    const std::size_t index = ledger.rows.size();
    const profile::Span span("write");
    output.write_checkpoint(index, key, finished, metadata);
    if (cache) {
        cache->give(key, finished, output.stage_path(index, finished.row.stage));
    }
    accept(std::move(finished));
}

bool RunContext::take_finished(const std::string& label, bool may_share) {
    return resume_stage(label) || (may_share && cache && take_cached(label));
}

bool RunContext::resume_stage(const std::string& label) {
    if (!options.resume) {
        return false;
    }
    auto found = output.read_checkpoint(ledger.rows.size(), label, key);
    if (!found) {
        return false;
    }
    log::info("taken from the checkpoint of an earlier run: " + label);
    found->row.resumed = true;
    take_over(std::move(*found));
    return true;
}

bool RunContext::take_cached(const std::string& label) {
    const std::size_t index = ledger.rows.size();
    auto found = cache->take(key, label, output.stage_path(index, label));
    if (!found) {
        return false;
    }
    log::write(log::Level::Info, "taken from the stage cache, " + key, label);
    found->row.from_cache = true;
    output.write_checkpoint(index, key, *found, metadata);
    take_over(std::move(*found));
    return true;
}

void RunContext::take_over(Checkpoint finished) {
    finished.network.to(trainer->device());
    if (ledger.rows.empty()) {
        baseline_cost = network::cost_of(finished.network);
        baseline = finished.network;
    }
    if (!options.brief && std::isnan(finished.row.latency_ms)) {  // a brief run computed it
        measure_latency_of(finished.network, finished.row);
    }
    accept(std::move(finished));
}

void RunContext::measure_latency_of(const network::Network& network, Row& row) const {
    if (options.brief) {
        row.latency_ms = row.latency_ratio = std::numeric_limits<double>::quiet_NaN();
        return;
    }
    const Latency latency = measure_latency(network, baseline, *trainer);
    row.latency_ms = latency.ms;
    row.latency_ratio = ledger.rows.empty() ? 1 : latency.ratio;
}

void RunContext::write_ledger() const {
    output.write_ledger(ledger, plan, !options.brief);
}

void RunContext::accept(Checkpoint finished) {
    current = std::move(finished.network);
    ledger.layers = compare_layers(baseline, current);
    ledger.diagnostics.insert(
        ledger.diagnostics.end(), finished.findings.begin(), finished.findings.end());
    ledger.rows.push_back(std::move(finished.row));
    write_ledger();
    if (options.observer.row_finished) {
        options.observer.row_finished(ledger.rows.back());
    }
}

}  // namespace topress::pipeline
