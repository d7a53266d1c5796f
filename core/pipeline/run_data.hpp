// The data of a run: loaded, capped, split, with the normalisation the network was trained under.
#pragma once

#include "config/run_config.hpp"
#include "data/dataset.hpp"
#include "network/graph.hpp"
#include "train/trainer.hpp"

#include <map>
#include <optional>
#include <string>

namespace topress::pipeline {

/// What a saved network remembers of its data, so that it can be evaluated without a configuration.
struct DataMemory {
    config::DataConfig data;  ///< without `path`: a machine's folders are not part of a network
    data::Normalisation normalisation;
    std::vector<std::string> classes;
    std::vector<std::string> targets = {};  ///< for regression
};

/// Loads and splits; targets come in the unit of the normalisation, which is measured on the
/// training pictures unless it is given. Throws: Error{data/...}.
[[nodiscard]] train::TrainingData load_run_data(
    const config::DataConfig& config,
    const std::optional<data::Normalisation>& normalisation = std::nullopt);

/// [train] as the trainer takes it.
[[nodiscard]] train::TrainingDefaults training_defaults(const config::TrainConfig& config);

/// As free text entries of a saved network.
[[nodiscard]] std::map<std::string, std::string> to_metadata(const DataMemory& memory);

/// None if the network was saved without (by another program). Throws Error{network/bad-file} when
/// the entry is there but cannot be read.
[[nodiscard]] std::optional<DataMemory> memory_of(
    const std::map<std::string, std::string>& metadata, const std::string& name_for_errors);

/// Throws Error{data/mismatch} when pictures, or the number of classes or targets, do not fit the
/// network.
void require_fitting(const network::Network& network, const train::TrainingData& data);

}  // namespace topress::pipeline
