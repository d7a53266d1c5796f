// The teacher of a fit: its logits batch by batch, or once for every picture that comes again.
#pragma once

#include "network/graph.hpp"
#include "train/trainer.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

namespace topress::train {

/// Told how many batches of how many a teacher has answered; what it throws ends the asking.
using Asking = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// Evaluation mode, no gradients, main output only.
class Teacher {
  public:
    /// `reduced` as in TrainingDefaults: a teacher's logits are targets of a loss, and noise far
    /// below what the student can follow.
    Teacher(const network::Network& network, at::Device device, bool reduced);

    /// Takes the logits of every picture of the training set from `memory`, or from its store, or
    /// computes them: in file order, so that they do not depend on the order in which they are
    /// asked for. Right only where pictures come again (remembers()). `pictures` is data.train, or
    /// its copy on the device.
    void remember(const TrainingData& data,
                  const data::Samples& pictures,
                  TeacherMemory& memory,
                  const Asking& asking);

    /// Shape: (N, C), on the device.
    [[nodiscard]] at::Tensor logits(const data::Batch& batch) const;

  private:
    [[nodiscard]] at::Tensor run(const at::Tensor& images) const;
    [[nodiscard]] at::Tensor run_all(const TrainingData& data,
                                     const data::Samples& pictures,
                                     const Asking& asking) const;

    network::Network network_;  ///< folded, on the device
    std::string identity_;
    at::Device device_;
    bool is_reduced_;
    at::Tensor known_;  ///< (samples, pictures of one, C); undefined: run for every batch
};

/// Whether that many epochs show every picture at least once: then a table never costs more than
/// asking, and it serves later fits too.
[[nodiscard]] bool remembers(const data::Augmentation& augmentation, double epochs);

}  // namespace topress::train
