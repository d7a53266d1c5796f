// The network that everything is compared with: built and trained, or loaded.
#pragma once

#include "config/run_config.hpp"
#include "pipeline/context.hpp"
#include "pipeline/dataset_shape.hpp"
#include "zoo/zoo.hpp"

namespace topress::pipeline {

/// The depth that [model] means, given or not. Throws Error{zoo/unknown-family}.
[[nodiscard]] std::int64_t depth_of(const config::ModelConfig& model);

/// The network that [model] means for pictures of this shape. Throws Error{zoo/unknown-family}.
[[nodiscard]] zoo::Specification specification_of(const config::ModelConfig& model,
                                                  const DatasetShape& shape);

/// Makes the baseline of a run and finishes its row. Throws Error.
void run_baseline(RunContext& run);

}  // namespace topress::pipeline
