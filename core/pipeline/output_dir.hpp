// The output directory of a run: which files it has, and writing them whole.
#pragma once

#include "network/graph.hpp"
#include "pipeline/checkpoint.hpp"
#include "pipeline/ledger.hpp"
#include "pipeline/plan.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace topress::pipeline {

/// Writes each file under a temporary name and renames it, so that a reader never sees half a file.
/// A second run into the same directory replaces the files of the first.
class OutputDir {
  public:
    /// Creates the directory and stages/, and starts topress.log. Throws Error{file/cannot-write}.
    explicit OutputDir(std::filesystem::path root);

    [[nodiscard]] const std::filesystem::path& root() const { return root_; }

    /// config.toml (resolved) and plan.json.
    void write_plan(const Plan& plan) const;
    /// ledger.json, ledger.csv and, if `with_report`, report.html.
    void write_ledger(const Ledger& ledger, const Plan& plan, bool with_report = true) const;
    /// network.safetensors.
    void write_network(const network::Network& network,
                       const std::map<std::string, std::string>& metadata) const;

    /// stages/NN-label.safetensors, and beside it a file with the row, the findings and the key of
    /// what made it.
    void write_checkpoint(std::size_t index,
                          const std::string& key,
                          const Checkpoint& checkpoint,
                          const std::map<std::string, std::string>& metadata) const;
    /// The checkpoint of that stage, if it was made under the same key and can be read.
    [[nodiscard]] std::optional<Checkpoint> read_checkpoint(std::size_t index,
                                                            const std::string& label,
                                                            const std::string& key) const;
    /// stages/NN-label: where a stage may leave files of its own.
    [[nodiscard]] std::filesystem::path stage_path(std::size_t index,
                                                   const std::string& label) const;
    /// Removes the results of an earlier run, so that none is taken for one of this run;
    /// checkpoints are kept for resuming if `keep_checkpoints`.
    void clear(bool keep_checkpoints) const;

  private:
    std::filesystem::path root_;
};

}  // namespace topress::pipeline
