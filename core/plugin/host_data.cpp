// topress.data/1: batches of the training and the validation split.
#include "plugin/host_objects.hpp"
#include "plugin/host_tables.hpp"

#include <topress/tensor.hpp>

#include <ATen/ATen.h>

namespace topress::plugin {

namespace {

train::Trainer& trainer_of(topress_run* run) {
    return *required(run, "run").services.trainer;
}

topress_status info(topress_run* run, topress_data_info* out, topress_error* error) noexcept {
    return guard_host(error, [&] {
        const train::TrainingData& data = trainer_of(run).data();
        topress_data_info& plain = required_struct(out, "out");
        plain.classes = static_cast<std::uint32_t>(data.classes.size());
        plain.loss = static_cast<std::uint32_t>(trainer_of(run).loss());
        plain.channels = static_cast<std::uint32_t>(data.train.images.size(1));
        plain.height = static_cast<std::uint32_t>(data.train.images.size(2));
        plain.width = static_cast<std::uint32_t>(data.train.images.size(3));
        plain.train_samples = static_cast<std::uint64_t>(data.train.size());
        plain.validation_samples = static_cast<std::uint64_t>(data.validation.size());
    });
}

const data::Samples& samples_of(const train::TrainingData& data, std::int32_t split) {
    if (split != TOPRESS_SPLIT_TRAIN && split != TOPRESS_SPLIT_VALIDATION) {
        reject("there is no split " + std::to_string(split) + ": train is 0, validation is 1");
    }
    return split == TOPRESS_SPLIT_TRAIN ? data.train : data.validation;
}

topress_status open(topress_run* run,
                    std::int32_t split,
                    std::uint64_t batch_size,
                    std::int32_t augment,
                    std::uint64_t seed,
                    topress_reader** out,
                    topress_error* error) noexcept {
    return guard_host(error, [&] {
        const train::Trainer& trainer = trainer_of(run);
        const data::Samples& samples = samples_of(trainer.data(), split);
        // More than all samples is all samples, and stays in the signed range.
        const std::uint64_t all =
            static_cast<std::uint64_t>(std::max<std::int64_t>(samples.size(), 1));
        const std::int64_t size = batch_size == 0
                                      ? trainer.defaults().batch_size
                                      : static_cast<std::int64_t>(std::min(batch_size, all));
        const auto pass = augment != 0 ? std::optional(data::Pass{seed, 0}) : std::nullopt;
        data::BatchReader batches(
            samples,
            trainer.data().normalisation,
            size,
            pass,
            augment != 0 ? trainer.data().augmentation : data::Augmentation{});
        required(out, "out") = new topress_reader{std::move(batches), trainer.device()};
    });
}

topress_status next(topress_reader* reader,
                    topress_tensor* images,
                    topress_tensor* labels,
                    std::int32_t* more,
                    topress_error* error) noexcept {
    return guard_host(error, [&] {
        topress_reader& open_reader = required(reader, "reader");
        at::Tensor& to_images = to_tensor(&required(images, "images"));
        at::Tensor& to_labels = to_tensor(&required(labels, "labels"));
        required(more, "more") = 0;
        if (std::optional<data::Batch> batch = open_reader.batches.next()) {
            to_images = batch->images.to(open_reader.device);
            to_labels = batch->labels.to(open_reader.device);
            *more = 1;
        }
    });
}

void close(topress_reader* reader) noexcept {
    delete reader;
}

}  // namespace

const topress_data_v1& data_table() noexcept {
    static constexpr topress_data_v1 kTable = {
        sizeof(topress_data_v1), &info, &open, &next, &close};
    return kTable;
}

}  // namespace topress::plugin
