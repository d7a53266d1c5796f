// Accuracy, loss and exit shares of a network on a split.
#include "base/error.hpp"
#include "base/profile.hpp"
#include "network/execute.hpp"
#include "network/fold.hpp"
#include "train/loss.hpp"
#include "train/place.hpp"
#include "train/trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <limits>

namespace topress::train {

namespace {

constexpr std::int64_t kBatchSize = 256;  // fits the cache better than 512, no slower than 1024

// Counts of every place a sample can leave at.
struct Tally {
    at::Tensor left;     ///< (exits + 1) int64
    at::Tensor correct;  ///< (exits + 1) int64
    at::Tensor loss;     ///< sum over samples, double

    explicit Tally(std::int64_t places, at::Device device)
        : left(at::zeros({places}, at::TensorOptions(device).dtype(at::kLong))),
          correct(at::zeros_like(left)),
          loss(at::zeros({}, at::TensorOptions(device).dtype(at::kDouble))) {}

    void add(const network::EarlyExitResult& result, const at::Tensor& labels) {
        const at::Tensor right = result.logits.argmax(1).eq(labels).to(at::kLong);
        left.index_add_(0, result.exit_index, at::ones_like(labels));
        correct.index_add_(0, result.exit_index, right);
        loss.add_(cross_entropy(result.logits, labels, 0).loss, labels.size(0));
    }
};

Evaluation summarise(const Tally& tally) {
    const at::Tensor left = tally.left.cpu();
    const at::Tensor correct = tally.correct.cpu();
    Evaluation evaluation;
    evaluation.samples = left.sum().item<std::int64_t>();
    // Without samples every figure is 0 / 0: not a number, never a number that looks measured.
    const auto samples = static_cast<double>(evaluation.samples);
    evaluation.accuracy = static_cast<double>(correct.sum().item<std::int64_t>()) / samples;
    evaluation.loss = tally.loss.item<double>() / samples;
    for (std::int64_t i = 0; i < left.size(0); ++i) {
        const auto count = static_cast<double>(left[i].item<std::int64_t>());
        const auto right = static_cast<double>(correct[i].item<std::int64_t>());
        evaluation.share.push_back(count / samples);
        evaluation.accuracy_per_exit.push_back(
            count > 0 ? right / count : std::numeric_limits<double>::quiet_NaN());
    }
    return evaluation;
}

}  // namespace

Evaluation Trainer::evaluate(const network::Network& network, const data::Samples& samples) {
    const profile::Span span("evaluation");
    const c10::InferenceMode inference;
    const PlacedNetwork placed(network, device_);
    const network::Network folded = network::fold_for_evaluation(placed.get());
    Tally tally(static_cast<std::int64_t>(network.exits().size()) + 1, device_);
    data::BatchReader reader(samples, data_.normalisation, kBatchSize);
    while (std::optional<data::Batch> read = reader.next()) {
        throw_if_cancelled();
        const data::Batch batch = to_device(std::move(*read), device_);
        tally.add(network::forward_with_exits(folded, batch.images), batch.labels);
    }
    return summarise(tally);
}

}  // namespace topress::train
