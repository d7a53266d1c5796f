// What the result of a stage depends on, as one hash: equal keys mean equal bytes. The place of a
// stage in the order is no part of it, nor are the stages after it or the folders of a machine.
#pragma once

#include "config/run_config.hpp"
#include "network/graph.hpp"
#include "pipeline/operator_origins.hpp"
#include "pipeline/plan.hpp"
#include "train/trainer.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Where and with what everything is computed.
struct HostIdentity {
    std::string program;  ///< content of the program's file: its version alone hides a rebuild
    std::string torch_version;
    std::string device;  ///< with the model of a GPU, or what the processor can do
    int threads = 0;     ///< sums are split among them

    /// Of this process. Throws: Error{file/cannot-read}.
    [[nodiscard]] static HostIdentity of_process(at::Device device);
};

/// What all stages of a run share: host, settings without the stages and the places of files, data
/// (pictures, labels and split by content; without the test split, which no stage sees).
[[nodiscard]] std::string run_identity(const HostIdentity& host,
                                       const config::RunConfig& config,
                                       const train::TrainingData& data);

/// Key of the baseline: what is built and how long it trains, or the content of the checkpoint.
/// Throws: Error{file/cannot-read}.
[[nodiscard]] std::string baseline_key(const std::string& run_identity,
                                       const config::RunConfig& config);

/// An earlier stage whose technique re-tunes what it made after the one that is about to begin.
struct RecalibratingStage {
    const PlannedStage& stage;
    std::string plugin;  ///< hash of the library's content
};

/// A stage that is about to begin.
struct StageFacts {
    const PlannedStage& stage;
    const network::Network& input;
    const network::Network& original;  ///< the baseline: what teachers and ratios refer to
    std::string plugin;                ///< hash of the library's content
    OperatorOrigins operators;
    /// For a stage in a worker: hashes of the libraries that the worker opens and that serve
    /// operators, its own included, in order; the last one wins there.
    std::vector<std::string> worker_libraries;
    std::vector<RecalibratingStage> recalibrating = {};
};

/// Which operators a stage is expected to run: those in its networks, and those that it declares to
/// bring (a technique of bits that writes precision, a dynamic one that writes exits; in a worker,
/// where nobody counts, any that writes them).
struct ExpectedOperators {
    bool quantize = false;
    bool exit_gate = false;
};

[[nodiscard]] ExpectedOperators expected_operators(const StageFacts& facts);

/// Key of a stage. Who serves an operator counts only where the stage is expected to run it.
[[nodiscard]] std::string stage_key(const std::string& run_identity, const StageFacts& facts);

/// Key of what a teacher says of every picture of the training set; `teacher` as a TeacherStore
/// names it.
[[nodiscard]] std::string teacher_key(const std::string& run_identity,
                                      const std::string& teacher,
                                      const OperatorOrigins& operators);

/// Hash of a file's content. Throws: Error{file/cannot-read}.
[[nodiscard]] std::string hash_of_file(const std::filesystem::path& file);

}  // namespace topress::pipeline
