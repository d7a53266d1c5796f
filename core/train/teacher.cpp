// Runs the teacher, or looks up what it said.
#include "train/teacher.hpp"

#include "base/profile.hpp"
#include "network/execute.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <optional>
#include <utility>
#include <vector>

namespace topress::train {
namespace {

constexpr std::int64_t kBatchSize = 256;  // as in evaluation

}  // namespace

bool remembers(const data::Augmentation& augmentation, double epochs) {
    return augmentation.crop_padding == 0 && !augmentation.flip && epochs >= 1;
}

at::Tensor Teacher::run(const at::Tensor& images) const {
    const c10::NoGradGuard no_gradients;
    return network::forward(network_.get(), images, network::RunMode{}).back();
}

void Teacher::remember(const data::Samples& samples,
                       const data::Normalisation& normalisation,
                       const std::function<void()>& throw_if_cancelled) {
    const profile::Span span("teacher");
    data::BatchReader reader(samples, normalisation, kBatchSize);
    std::vector<at::Tensor> rows;
    while (std::optional<data::Batch> batch = reader.next()) {
        throw_if_cancelled();
        rows.push_back(run(batch->images.to(device_)));
    }
    known_ = at::cat(rows);
}

at::Tensor Teacher::logits(const data::Batch& batch) const {
    const profile::Span span("teacher");
    return known_.defined() ? known_.index_select(0, batch.indices.to(device_)) : run(batch.images);
}

}  // namespace topress::train
