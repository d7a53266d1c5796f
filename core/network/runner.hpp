// Runs a plan: holds the values of one batch, frees them after their last use. Internal to
// network/.
#pragma once

#include "network/graph.hpp"
#include "network/plan.hpp"

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

namespace topress::network {

/// One batch on its way through a network. Network and plan must outlive it.
class Runner {
  public:
    /// Throws Error{network/shape-mismatch} when the input is not (N, input shape).
    Runner(const Network& network, const Plan& plan, const at::Tensor& input, const RunMode& mode);

    /// Runs the next segment and returns its targets. Throws Error{network/run-failed} naming the
    /// node.
    [[nodiscard]] std::vector<at::Tensor> run_segment();

    /// Keeps only these samples (ascending int64 indices) of every value still needed.
    void keep_samples(const at::Tensor& indices);

  private:
    void run_step(const Step& step);
    [[nodiscard]] at::Tensor fetch(const Source& source);

    const Network& network_;
    const Plan& plan_;
    RunMode mode_;
    std::vector<at::Tensor> slots_;
    std::vector<at::Tensor> inputs_;  // of the current step; kept to reuse its memory
    std::size_t next_step_ = 0;
    std::size_t next_segment_ = 0;
};

}  // namespace topress::network
