// What all fits and evaluations of a run share: data on the device, a stream, memory of teachers.
#include "train/trainer.hpp"

#include "base/error.hpp"
#include "train/fit.hpp"
#include "train/loss.hpp"
#include "train/side_stream.hpp"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstddef>
#include <optional>
#include <utility>

namespace topress::train {

Trainer::Trainer(const TrainingData& data, TrainingDefaults defaults, at::Device device)
    : data_(data),
      defaults_(std::move(defaults)),
      loss_(choose_loss(defaults_.loss, data)),
      device_(device) {
    refuse_smoothing(defaults_.label_smoothing, data);
    if (defaults_.cuda_graph) {
        make_recorder_ = [device] { return make_step_recorder(device); };
    }
}

void Trainer::throw_if_cancelled() const {
    if (cancelled_ && cancelled_()) {
        throw Error("run/interrupted", "interrupted", {}, "continue with topress run --resume");
    }
}

const data::Samples& Trainer::on_device(const data::Samples& samples) {
    // Beyond that pictures travel batch by batch: the device is there for the networks.
    constexpr std::size_t kMostBytes = std::size_t{16} << 30U;
    if (device_.is_cpu() || samples.size() == 0 || samples.images.nbytes() > kMostBytes) {
        return samples;
    }
    for (const PlacedSamples& known : placed_) {
        if (known.origin.images.is_same(samples.images) &&
            known.origin.labels.is_same(samples.labels)) {
            return known.copy;
        }
    }
    placed_.push_back({samples, {samples.images.to(device_), samples.labels.to(device_)}});
    return placed_.back().copy;
}

data::BatchReader Trainer::training_reader(const data::Pass& pass) {
    // A short last batch would have its own noise; it is left out unless it is all there is.
    const bool drop_last = data_.train.size() >= defaults_.batch_size;
    return {on_device(data_.train),
            data_.normalisation,
            defaults_.batch_size,
            pass,
            data_.augmentation,
            drop_last};
}

c10::Stream Trainer::fit_stream() {
    if (!fit_stream_) {
        // One for all fits: each stream keeps the memory that was freed on it.
        fit_stream_ = c10::impl::VirtualGuardImpl(device_.type()).getStreamFromGlobalPool(device_);
    }
    return *fit_stream_;
}

FitReport Trainer::fit(network::Network& network, const FitOptions& options) {
    network.to(device_);
    const data::Samples& pictures = on_device(data_.train);
    std::optional<SideStream> side;
    if (!device_.is_cpu() && make_recorder_) {
        side.emplace(fit_stream());
    }
    const FitServices services{defaults_,
                               loss_,
                               device_,
                               [this](const data::Pass& pass) { return training_reader(pass); },
                               [this] { throw_if_cancelled(); },
                               progress_,
                               data_,
                               teacher_memory_,
                               pictures,
                               make_recorder_};
    return run_fit(network, options, services);
}

}  // namespace topress::train
