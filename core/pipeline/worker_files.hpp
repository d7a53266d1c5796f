// The files a run and its worker exchange, in a folder that only their user can enter.
#pragma once

#include "base/diagnostic.hpp"
#include "data/dataset.hpp"
#include "network/graph.hpp"
#include "pipeline/ledger.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace topress::pipeline {

/// What a worker is to do; the resolved configuration comes beside it.
struct WorkerJob {
    std::string label;            ///< of the stage
    bool only_configure = false;  ///< load the plugin, hand over the parameters, and end
    /// Plugins to open, in this order: those of the run's other stages that the run itself opens
    /// (they may bring faster operators), and the stage's own.
    std::vector<std::filesystem::path> libraries;
    std::filesystem::path own_library;
    std::filesystem::path artefact_directory;
    data::Normalisation normalisation;
};

/// What a worker has done.
struct WorkerResult {
    Diagnostics diagnostics;  ///< why there is no network; empty when all went well
    Diagnostics leaks;        ///< as of StageOutcome
    Row row;                  ///< likewise; peak_memory_bytes is the worker's
    std::optional<network::Network> network;
};

/// The folder of one worker.
class WorkerFolder {
  public:
    explicit WorkerFolder(std::filesystem::path root) : root_(std::move(root)) {}

    [[nodiscard]] const std::filesystem::path& root() const { return root_; }

    [[nodiscard]] std::filesystem::path config_file() const { return root_ / "config.toml"; }

    /// Makes the folder, empty. Throws Error{file/cannot-write}.
    void create() const;
    /// Removes it and all that is in it.
    void remove() const;

    void write_job(const WorkerJob& job, const std::string& config_text) const;
    /// Throws Error{file/cannot-read}, Json::exception.
    [[nodiscard]] WorkerJob read_job() const;

    void write_networks(const network::Network& input, const network::Network& original) const;
    /// Throws Error{file/cannot-read}, {network/bad-file}.
    [[nodiscard]] network::Network read_input() const;
    [[nodiscard]] network::Network read_original() const;

    /// The network first, then the document that vouches for it: a result is there or is not.
    void write_result(const WorkerResult& result) const;
    [[nodiscard]] bool has_result() const;
    /// Throws Error{run/worker-bad-result} when a file is missing, cut off or not what was written.
    [[nodiscard]] WorkerResult read_result() const;

  private:
    std::filesystem::path root_;
};

}  // namespace topress::pipeline
