// Running a network: all outputs (training, evaluation) or with exits that really stop.
#pragma once

#include "network/graph.hpp"
#include "network/operators.hpp"

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace topress::network {

/// Logits of every exit in order, then of the main output: each (N, C).
[[nodiscard]] std::vector<at::Tensor> forward(const Network& network,
                                              const at::Tensor& input,
                                              const RunMode& mode);

/// Values by name during one evaluation-mode forward, without gradients.
[[nodiscard]] std::vector<at::Tensor> observe(const Network& network,
                                              const at::Tensor& input,
                                              const std::vector<std::string>& values);

/// What early-exit inference answers. Samples that left are compacted out of the batch, heads
/// nobody reaches are not run.
struct EarlyExitResult {
    at::Tensor logits;      ///< (N, C) in input order, from the exit each sample took
    at::Tensor exit_index;  ///< (N) int64; number of exits = main output
};

/// Without exits: the main output. No gradients, evaluation mode.
[[nodiscard]] EarlyExitResult forward_with_exits(const Network& network, const at::Tensor& input);

}  // namespace topress::network
