// Loss and hits of an epoch, on the device until they are read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace topress::train {

/// Sums over the steps of an epoch.
class Totals {
  public:
    Totals(at::Device device, bool is_regression);

    /// loss: scalar; answers (N, C) and labels (N), or both (N, D) of numbers.
    void add(const at::Tensor& loss, const at::Tensor& answers, const at::Tensor& labels);

    /// Both wait for the device.
    [[nodiscard]] double mean_loss() const;
    [[nodiscard]] double accuracy() const;

  private:
    at::Tensor loss_;
    at::Tensor correct_;  ///< samples; of numbers: 1 less the squared error, their variance being 1
    std::uint64_t steps_ = 0;
    std::int64_t samples_ = 0;
};

}  // namespace topress::train
