// Forward and backward pass of a fit whose batches all have one shape: recorded once, then
// replayed.
#pragma once

#include "network/graph.hpp"
#include "train/step_recorder.hpp"

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace topress::train {

/// The loss stays outside: it may differ from step to step, and its gradients are copied in. So may
/// the optimizer and hooks, which find gradients where they always are.
class RecordedStep {
  public:
    /// All outputs of a batch with their autograd graph, each (N, C) float.
    using Forward = std::function<std::vector<at::Tensor>(const at::Tensor& images)>;

    /// `trained` are parameters of `network`, which outlives this object.
    RecordedStep(std::unique_ptr<StepRecorder> recorder,
                 const network::Network& network,
                 std::vector<at::Tensor> trained,
                 Forward forward);

    /// Whether such a batch can be replayed: its shape is the recorded one, and the network still
    /// has the tensors that the recording works on. The first batch decides about the shape.
    [[nodiscard]] bool accepts(const at::Tensor& images) const;

    /// Copies of the outputs, without a gradient. The first call records.
    /// Requires: accepts(images), no gradients left at the trained parameters.
    /// Throws: what the forward pass throws; c10::Error when it cannot be recorded.
    [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& images);

    /// Gradients of the trained parameters, until the next step, from those of the outputs
    /// (undefined = none). The first call records. False, and nothing happened, when other outputs
    /// have a gradient than in the recorded step. Requires: a call of forward() before. Throws: as
    /// forward().
    [[nodiscard]] bool backward(const std::vector<at::Tensor>& gradients);

  private:
    void record_forward();
    void record_backward();
    [[nodiscard]] bool same_outputs(const std::vector<at::Tensor>& gradients) const;

    std::unique_ptr<StepRecorder> recorder_;
    const network::Network& network_;
    std::vector<at::Tensor> trained_;
    Forward forward_;
    std::vector<at::Tensor> parameters_;  ///< all of the network, as recorded
    std::vector<const void*> memory_;     ///< where their elements are
    at::Tensor images_;
    std::vector<at::Tensor> outputs_;    ///< with their autograd graph, until it is consumed
    std::vector<at::Tensor> seeds_;      ///< gradients of the outputs; undefined = none
    std::vector<at::Tensor> gradients_;  ///< of trained_; undefined = none
    std::optional<std::size_t> forward_recording_;
    std::optional<std::size_t> backward_recording_;
};

}  // namespace topress::train
