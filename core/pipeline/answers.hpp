// What a network answered to every sample of a split, as a table in CSV.
#pragma once

#include "data/dataset.hpp"
#include "network/graph.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::pipeline {

/// A line a sample, in the order of the split. Of classes: sample (from 0), label, answer, exit and
/// one "logit CLASS" for each class. Of numbers: sample, exit and for each target "TARGET" and
/// "TARGET answer", in the target's own unit. Floats have the digits that tell them apart.
class AnswerTable {
  public:
    /// The data must outlive the table.
    AnswerTable(const network::Network& network, const train::TrainingData& data);

    void add(const train::Answers& answers);

    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    void add_classes(const train::Answers& answers);
    void add_numbers(const train::Answers& answers);

    const train::TrainingData& data_;
    std::vector<std::string> places_;  ///< exits in order, then the main output
    std::string text_;
    std::int64_t samples_ = 0;
};

}  // namespace topress::pipeline
