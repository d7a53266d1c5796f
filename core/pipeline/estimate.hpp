// What the stages of a plan will cost, from what the techniques declare: nothing is run.
#pragma once

#include "network/graph.hpp"
#include "pipeline/plan.hpp"

#include <optional>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Why a figure of a stage is there or not.
enum class EstimateState : std::uint8_t {
    Estimated,
    Unknown,      ///< its plugin says nothing, or it is decided during the run
    MeasuredOnly  ///< a dynamic technique: depends on the inputs
};

/// One row. Units: MACs and BitOps per sample, epochs in passes over the training set.
struct StageEstimate {
    std::string label;
    EstimateState state = EstimateState::Estimated;
    std::optional<double> macs;
    std::optional<double> bitops;
    std::optional<double> bitops_cr;  ///< against the baseline
    std::optional<double> epochs;     ///< none: not declared
};

/// The rows of the baseline and of every stage, in order. What is not known is taken as unchanged
/// by the stages that follow.
struct Estimate {
    std::vector<StageEstimate> stages;
    double epochs = 0;             ///< of those that are known
    bool knows_all_epochs = true;  ///< false: `epochs` is a lower bound
    std::optional<std::int64_t> train_samples;

    /// Samples that all training together sees; none if the number of samples is not known.
    [[nodiscard]] std::optional<double> sample_passes() const;
};

/// The network that the run starts from, untrained; none if only the data set's files tell its
/// shape. Throws Error{zoo/... | network/... | file/...}.
[[nodiscard]] std::optional<network::Network> starting_network(const config::RunConfig& config);

/// `start` null: MACs and BitOps are not known.
[[nodiscard]] Estimate estimate(const Plan& plan, const network::Network* start);

[[nodiscard]] Json to_json(const Estimate& estimate);

}  // namespace topress::pipeline
