// The network that everything is compared with: built and trained, or loaded.
#pragma once

#include "config/run_config.hpp"
#include "network/graph.hpp"
#include "pipeline/context.hpp"
#include "pipeline/dataset_shape.hpp"

namespace topress::pipeline {

/// The depth that [model] means for a family when it gives none.
[[nodiscard]] std::int64_t usual_depth(const std::string& family);

/// The untrained network of a family for pictures of this shape; depth and width 0 are the usual
/// ones. Throws Error{zoo/...}.
[[nodiscard]] network::Network build_network(const std::string& family,
                                             std::int64_t depth,
                                             std::int64_t width,
                                             const DatasetShape& shape,
                                             std::uint64_t seed);

/// The same as [model] describes it. Throws Error{zoo/...}.
[[nodiscard]] network::Network build_network(const config::RunConfig& config,
                                             const DatasetShape& shape);

/// Makes the baseline of a run and finishes its row. Throws Error.
void run_baseline(RunContext& run);

}  // namespace topress::pipeline
