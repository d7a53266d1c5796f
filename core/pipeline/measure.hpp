// What is measured of a network after a stage: accuracy, exits, latency, memory.
#pragma once

#include "network/graph.hpp"
#include "pipeline/ledger.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace topress::pipeline {

/// Samples in the batch whose time is the latency of a row.
inline constexpr std::int64_t kLatencyBatch = 128;

/// Accuracy and shares as anybody will see them who loads the network without its plugins: with the
/// built-in operators, even while a plugin offers faster ones that may round the last bit
/// differently.
[[nodiscard]] train::Evaluation evaluate_plainly(train::Trainer& trainer,
                                                 const network::Network& network,
                                                 const data::Samples& samples);

/// Writes the shares of an evaluation into the exits of the network: its expected cost follows
/// them.
void record_shares(network::Network& network, const train::Evaluation& evaluation);

/// Exit names, thresholds, shares and accuracies; empty without exits.
[[nodiscard]] std::vector<ExitFigures> exit_figures(const network::Network& network,
                                                    const train::Evaluation& evaluation);

/// The error of each target by its name; empty for classification.
[[nodiscard]] std::vector<std::pair<std::string, double>> name_errors(
    const std::vector<std::string>& targets, const train::Evaluation& evaluation);

/// Time of one batch, and the ratio against the baseline.
struct Latency {
    double ms = 0;
    double ratio = 1;
};

/// Runs both networks alternately on the same batch and takes medians. Cost: below one second, or
/// three runs of each where those take longer.
[[nodiscard]] Latency measure_latency(const network::Network& network,
                                      const network::Network& baseline,
                                      const train::Trainer& trainer);

/// Largest resident memory of the process so far.
[[nodiscard]] double peak_memory_bytes();

}  // namespace topress::pipeline
