// Runs the teacher, or looks up what it said.
#include "train/teacher.hpp"

#include "base/hash.hpp"
#include "base/profile.hpp"
#include "network/custom.hpp"
#include "network/execute.hpp"
#include "network/fold.hpp"
#include "network/serialize.hpp"
#include "train/place.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <optional>
#include <string>

namespace topress::train {
namespace {

constexpr std::int64_t kBatchSize = 256;  // as in evaluation

std::string identity_of(const network::Network& network) {
    const std::string bytes = network::to_bytes(network);
    return hash_bytes(bytes.data(), bytes.size());
}

}  // namespace

bool remembers(const data::Augmentation& augmentation, double epochs) {
    const int pictures = augmentation.pictures_of_one();
    return pictures > 0 && epochs >= pictures;
}

Teacher::Teacher(const network::Network& network, at::Device device, bool reduced)
    : network_(network::fold_for_evaluation(PlacedNetwork(network, device).get())),
      identity_(identity_of(network)),
      device_(device),
      is_reduced_(reduced) {}

at::Tensor Teacher::run(const at::Tensor& images) const {
    const c10::NoGradGuard no_gradients;
    network::RunMode mode;
    mode.reduced = is_reduced_;
    return network::forward(network_, images, mode).back().to(at::kFloat);
}

at::Tensor Teacher::run_all(const TrainingData& data,
                            const data::Samples& pictures,
                            const Asking& asking) const {
    const int variants = data.augmentation.pictures_of_one();
    at::Tensor known;
    std::uint64_t done = 0;
    for (int number = 0; number < variants; ++number) {
        const data::Pass pass{0, static_cast<std::uint64_t>(number), false};
        data::BatchReader reader(pictures, data.normalisation, kBatchSize, pass, data.augmentation);
        while (std::optional<data::Batch> batch = reader.next()) {
            const at::Tensor rows = run(batch->images.to(device_));
            if (!known.defined()) {
                known = at::empty({pictures.size(), variants, rows.size(1)}, rows.options());
            }
            known.index_put_({batch->indices.to(device_), batch->variants.to(device_)}, rows);
            asking(++done, static_cast<std::uint64_t>(reader.batches() * variants));
        }
    }
    return known;
}

void Teacher::remember(const TrainingData& data,
                       const data::Samples& pictures,
                       TeacherMemory& memory,
                       const Asking& asking) {
    const profile::Span span("teacher");
    if (memory.teacher != identity_) {
        const bool may_store = network::custom_nodes(network_).empty();
        at::Tensor logits =
            may_store && memory.store.find ? memory.store.find(identity_) : at::Tensor();
        if (logits.defined()) {
            logits = logits.to(device_);
        } else {
            logits = run_all(data, pictures, asking);
            if (may_store && memory.store.keep) {
                memory.store.keep(identity_, logits);
            }
        }
        memory.logits = logits;
        memory.teacher = identity_;
    }
    known_ = memory.logits;
}

at::Tensor Teacher::logits(const data::Batch& batch) const {
    const profile::Span span("teacher");
    return known_.defined() ? known_.index({batch.indices.to(device_), batch.variants.to(device_)})
                            : run(batch.images);
}

}  // namespace topress::train
