// Adds up on the device.
#include "train/totals.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace topress::train {

Totals::Totals(at::Device device, bool is_regression)
    : loss_(at::zeros({}, at::TensorOptions(device).dtype(at::kDouble))),
      correct_(at::zeros(
          {}, at::TensorOptions(device).dtype(is_regression ? at::kDouble : at::kLong))) {}

void Totals::add(const at::Tensor& loss, const at::Tensor& answers, const at::Tensor& labels) {
    loss_.add_(loss.detach().reshape({}).to(loss_.device()));
    correct_.add_(labels.is_floating_point() ? (1 - (answers - labels).square().mean(1)).sum()
                                             : answers.argmax(1).eq(labels).sum());
    ++steps_;
    samples_ += labels.size(0);
}

double Totals::mean_loss() const {
    return loss_.item<double>() / static_cast<double>(std::max<std::uint64_t>(steps_, 1));
}

double Totals::accuracy() const {
    return correct_.item<double>() / static_cast<double>(std::max<std::int64_t>(samples_, 1));
}

}  // namespace topress::train
