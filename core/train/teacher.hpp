// The teacher of a fit: its logits batch by batch, or once for every picture where none is changed.
#pragma once

#include "data/batches.hpp"
#include "network/graph.hpp"
#include "train/place.hpp"
#include "train/trainer.hpp"

#include <ATen/core/Tensor.h>

#include <functional>

namespace topress::train {

/// Evaluation mode, no gradients, main output only.
class Teacher {
  public:
    Teacher(const network::Network& network, at::Device device)
        : network_(network, device), device_(device) {}

    /// Computes the logits of a whole split, in file order, so that they do not depend on the order
    /// in which they are asked for. Right only while no augmentation changes the pictures.
    void remember(const data::Samples& samples,
                  const data::Normalisation& normalisation,
                  const std::function<void()>& throw_if_cancelled);

    /// Shape: (N, C), on the device.
    [[nodiscard]] at::Tensor logits(const data::Batch& batch) const;

  private:
    [[nodiscard]] at::Tensor run(const at::Tensor& images) const;

    PlacedNetwork network_;
    at::Device device_;
    at::Tensor known_;  ///< (samples, C); undefined: run for every batch
};

/// A table pays from the first epoch on, where a big teacher costs more than the student's step.
[[nodiscard]] bool remembers(const data::Augmentation& augmentation, double epochs);

}  // namespace topress::train
