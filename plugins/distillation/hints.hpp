// Feature hints: while a network is taught, its values learn to look like the teacher's, too.
#pragma once

#include <topress/model.hpp>
#include <topress/training.hpp>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace topress::distillation {

/// Pairs of values of one picture size, each the last of its size that cuts its network in two, and
/// for each pair a regressor on the student's value: a 1x1 convolution to the channels of the
/// teacher, flattened, which the host's training loop sees as one more exit.
/// Source: regressors on hints: Romero et al. 2015 (FitNets, arXiv 1412.6550).
class Hints {
  public:
    /// Attaches the regressors, drawn from `seed`; they stay until remove(). `teacher` must outlive
    /// this. Throws: PluginError{UNSUPPORTED} when the networks have no such pair.
    Hints(Model& student, const Model& teacher, at::Device device, std::uint64_t seed);

    void remove(Model& student) const;

    /// What `taught` says of the outputs that are no hints, with the teacher's logits filled in,
    /// and `weight` times the mean distance of the hints.
    [[nodiscard]] LossFunction loss(LossFunction taught, double weight) const;

    /// Names of the pairs' values, the student's first; for the log.
    [[nodiscard]] std::string describe() const;

  private:
    struct Pair {
        std::string name;
        std::string student;
        std::string teacher;
    };

    const Model& teacher_;
    std::vector<Pair> pairs_;
    std::vector<int> pair_of_output_;  ///< of every exit in order; -1 = an exit of the network
};

/// Squared distance of the directions of two rows, mean over the batch: 2 - 2 cos, so that the size
/// of the values does not matter. Shape: value, target (N, K); the gradient is that of `value`.
[[nodiscard]] Loss hint_loss(const at::Tensor& value, const at::Tensor& target);

}  // namespace topress::distillation
