// Sums stay on the device until the last batch.
#include "train/tally.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace topress::train {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Labels are in units of the training set's deviation: less is rounding.
constexpr double kLeastVariance = 1e-12;

at::Tensor zeros(at::IntArrayRef sizes, at::Device device, at::ScalarType type) {
    return at::zeros(sizes, at::TensorOptions(device).dtype(type));
}

void note_shares(const at::Tensor& left, Evaluation& evaluation) {
    evaluation.samples = left.sum().item<std::int64_t>();
    const auto samples = static_cast<double>(evaluation.samples);
    for (std::int64_t i = 0; i < left.size(0); ++i) {
        evaluation.share.push_back(static_cast<double>(left[i].item<std::int64_t>()) / samples);
    }
}

}  // namespace

ClassTally::ClassTally(std::int64_t places, at::Device device)
    : left_(zeros({places}, device, at::kLong)), correct_(at::zeros_like(left_)) {}

void ClassTally::add(const at::Tensor& output, const at::Tensor& labels, const at::Tensor& place) {
    left_.index_add_(0, place, at::ones_like(labels));
    correct_.index_add_(0, place, output.argmax(1).eq(labels).to(at::kLong));
}

Evaluation ClassTally::summary() const {
    const at::Tensor left = left_.cpu();
    const at::Tensor correct = correct_.cpu();
    Evaluation evaluation;
    note_shares(left, evaluation);
    evaluation.accuracy = static_cast<double>(correct.sum().item<std::int64_t>()) /
                          static_cast<double>(evaluation.samples);
    for (std::int64_t i = 0; i < left.size(0); ++i) {
        const auto count = static_cast<double>(left[i].item<std::int64_t>());
        const auto right = static_cast<double>(correct[i].item<std::int64_t>());
        evaluation.accuracy_per_exit.push_back(count > 0 ? right / count : kNan);
    }
    return evaluation;
}

NumberTally::NumberTally(std::int64_t places, std::int64_t targets, at::Device device)
    : left_(zeros({places}, device, at::kLong)),
      squared_(zeros({places, targets}, device, at::kDouble)),
      first_(zeros({targets}, device, at::kDouble)),
      second_(zeros({targets}, device, at::kDouble)) {}

void NumberTally::add(const at::Tensor& output, const at::Tensor& labels, const at::Tensor& place) {
    const at::Tensor numbers = labels.to(at::kDouble);
    left_.index_add_(0, place, at::ones_like(place));
    squared_.index_add_(0, place, (output.to(at::kDouble) - numbers).square());
    first_.add_(numbers.sum(0));
    second_.add_(numbers.square().sum(0));
}

Evaluation NumberTally::summary(const data::TargetScale& scale) const {
    const at::Tensor left = left_.cpu();
    const at::Tensor squared = squared_.cpu();
    Evaluation evaluation;
    note_shares(left, evaluation);
    const auto samples = static_cast<double>(evaluation.samples);
    const at::Tensor mean = first_.cpu() / samples;
    const at::Tensor variance = second_.cpu() / samples - mean.square();
    const at::Tensor explicable = variance.masked_fill(variance.lt(kLeastVariance), kNan);
    const at::Tensor deviation = at::tensor(scale.deviation, at::kDouble);
    // (D) mean squared errors -> their R2, and errors in the unit of each target
    const auto score = [&](const at::Tensor& errors) {
        return 1 - (errors / explicable).mean().item<double>();
    };
    const auto in_own_unit = [&](const at::Tensor& errors) { return errors.sqrt() * deviation; };

    const at::Tensor all = squared.sum(0) / samples;
    const at::Tensor by_target = in_own_unit(all).contiguous();
    const auto* first = by_target.const_data_ptr<double>();
    evaluation.accuracy = score(all);
    evaluation.error_per_target.assign(first, first + by_target.numel());
    evaluation.error = by_target.mean().item<double>();
    for (std::int64_t i = 0; i < left.size(0); ++i) {
        const at::Tensor there = squared[i] / left[i];  // 0 / 0 is not a number
        evaluation.accuracy_per_exit.push_back(score(there));
        evaluation.error_per_exit.push_back(in_own_unit(there).mean().item<double>());
    }
    return evaluation;
}

}  // namespace topress::train
