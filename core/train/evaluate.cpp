// Accuracy, loss and exit shares of a network on a split.
#include "base/error.hpp"
#include "base/profile.hpp"
#include "network/element_type.hpp"
#include "network/execute.hpp"
#include "network/fold.hpp"
#include "train/loss.hpp"
#include "train/place.hpp"
#include "train/tally.hpp"
#include "train/trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <utility>

namespace topress::train {

namespace {

constexpr std::int64_t kBatchSize = 256;  // fits the cache better than 512, no slower than 1024

// Counts batch by batch: what the tally counts, and the loss.
template <typename Tally>
class Counting {
  public:
    Counting(Tally tally, TaskLoss loss, at::Device device)
        : tally_(std::move(tally)),
          loss_(loss),
          sum_(at::zeros({}, at::TensorOptions(device).dtype(at::kDouble))) {}

    void add(const network::EarlyExitResult& result, const at::Tensor& labels) {
        tally_.add(result.logits, labels, result.exit_index);
        sum_.add_(task_loss(result.logits, labels, loss_, 0).loss, labels.size(0));
    }

    [[nodiscard]] const Tally& tally() const { return tally_; }

    /// Without samples 0 / 0: not a number, never a number that looks measured.
    [[nodiscard]] double mean_loss(std::int64_t samples) const {
        return sum_.template item<double>() / static_cast<double>(samples);
    }

  private:
    Tally tally_;
    TaskLoss loss_;
    at::Tensor sum_;  ///< over samples
};

}  // namespace

Evaluation Trainer::evaluate(const network::Network& network,
                             const data::Samples& samples,
                             const AnswerListener& listener) {
    const profile::Span span("evaluation");
    const c10::InferenceMode inference;
    const PlacedNetwork placed(network, device_);
    const network::Network folded = network::fold_for_evaluation(placed.get());
    const at::ScalarType type = network::element_type(folded);
    const auto places = static_cast<std::int64_t>(network.exits().size()) + 1;
    data::BatchReader reader(on_device(samples), data_.normalisation, kBatchSize);
    const auto count = [&](auto& counting) {
        while (std::optional<data::Batch> read = reader.next()) {
            throw_if_cancelled();
            const data::Batch batch = to_device(std::move(*read), device_);
            const network::EarlyExitResult result =
                network::forward_with_exits(folded, batch.images.to(type));
            counting.add(result, batch.labels);
            if (listener) {
                listener({result.logits, result.exit_index, batch.labels});
            }
        }
    };
    Evaluation evaluation;
    if (data_.is_regression()) {
        Counting counting(NumberTally(places, data_.answers(), device_), loss_, device_);
        count(counting);
        evaluation = counting.tally().summary(data_.normalisation.targets);
        evaluation.loss = counting.mean_loss(evaluation.samples);
    } else {
        Counting counting(ClassTally(places, device_), loss_, device_);
        count(counting);
        evaluation = counting.tally().summary();
        evaluation.loss = counting.mean_loss(evaluation.samples);
    }
    return evaluation;
}

}  // namespace topress::train
