// What every stage gained and cost: one row each, baseline first; as JSON (the `run` document) and
// CSV.
#pragma once

#include "base/diagnostic.hpp"
#include "network/cost.hpp"
#include "network/graph.hpp"
#include "pipeline/documents.hpp"
#include "train/trainer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace topress::pipeline {

/// Where samples answer that left at no exit.
inline constexpr const char* kMainOutput = "main output";

/// One exit as evaluated on the validation split; the last one of a row is the main output.
struct ExitFigures {
    std::string name;
    double threshold = 0;         ///< NaN for the main output
    double share = 0;             ///< of all samples
    double accuracy = 0;          ///< of the samples that left there, NaN = none; R2 for regression
    std::optional<double> error;  ///< likewise, for regression alone
};

/// The state after one stage. Costs are computed, for networks with exits as expected values under
/// the measured shares; accuracy, latency, seconds and memory are measured.
struct Row {
    std::string stage;                    ///< label, "baseline" for the first row
    std::string technique;                ///< id, empty for the baseline
    double accuracy = 0;                  ///< 0..1, validation split; R2 for regression
    std::optional<double> test_accuracy;  ///< baseline and last row of a finished run
    std::optional<double> error;          ///< regression: RMSE in the target's unit, validation
    std::optional<double> test_error;     ///< likewise, where test_accuracy is
    std::vector<std::pair<std::string, double>> errors = {};  ///< of each target, validation
    double macs = 0;
    double bitops = 0;
    double bitops_cr = 1;  ///< BitOps of the baseline / BitOps
    double parameters = 0;
    double stored_bytes = 0;
    double cr = 1;  ///< fp32 bytes of the baseline / stored bytes
    double seconds = 0;
    double latency_ms = 0;     ///< median of one batch
    double latency_ratio = 1;  ///< against the baseline, measured alternately with it
    double peak_memory_bytes = 0;
    bool resumed = false;                        ///< taken from a checkpoint of an earlier run
    std::vector<std::string> recalibrated = {};  ///< labels of earlier stages that chose again
    bool from_cache = false;  ///< from the stage cache: measured when it was computed
    std::vector<ExitFigures> exits;
    std::vector<std::pair<std::string, double>> metrics;  ///< named by the technique
    std::vector<train::EpochRecord> curves;
};

/// What was run, for the reader of the document.
struct Conditions {
    std::string config_file;
    std::string config_text;  ///< resolved
    std::string dataset;
    std::string device;
    std::string version;
    std::string torch_version;
    std::uint64_t seed = 0;
    int threads = 0;
    std::int64_t train_samples = 0;
    std::int64_t validation_samples = 0;
    std::int64_t test_samples = 0;
    std::int64_t latency_batch = 0;
};

/// The whole run so far. `state` is "running", "finished", "failed" or "interrupted".
struct Ledger {
    std::string state = "running";
    Conditions conditions;
    std::vector<Row> rows;
    Diagnostics diagnostics;
    Json layers = Json::array();  ///< of compare_layers: the baseline and the last row's network
};

/// Whether the rows have errors.
[[nodiscard]] bool is_regression(const Ledger& ledger);

/// How the rows came about; the baseline counts as a stage.
struct StageCounts {
    std::size_t computed = 0;
    std::size_t from_cache = 0;
    std::size_t resumed = 0;  ///< wherever they came from before
};

[[nodiscard]] StageCounts count_stages(const std::vector<Row>& rows);

/// A row with the computed figures of `network` against those of the baseline.
[[nodiscard]] Row make_row(std::string stage,
                           std::string technique,
                           const network::Network& network,
                           const network::Cost& baseline);

[[nodiscard]] Json to_json(const ExitFigures& exit);

/// "accuracy", or for regression "error" in its place, "r2", and "errors" of each target.
[[nodiscard]] Json to_json(const Row& row);

/// The inverse of to_json. Throws Json::exception when a field is missing or of another type.
[[nodiscard]] Row row_from_json(const Json& json);

/// The document of `topress run`, the same as ledger.json.
[[nodiscard]] Json to_json(const Ledger& ledger);

/// One line per row, header first, RFC 4180 quoting.
[[nodiscard]] std::string to_csv(const Ledger& ledger);

}  // namespace topress::pipeline
