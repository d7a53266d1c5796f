// Applying a technique to a tiny network, and looking at what came out.
#include "conformance/workbench.hpp"

#include "base/error.hpp"
#include "conformance/networks.hpp"
#include "conformance/parameters.hpp"
#include "data/random.hpp"
#include "network/execute.hpp"
#include "pipeline/checks.hpp"
#include "train/device.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <chrono>

namespace topress::conformance {
namespace {

// Neither is a multiple of the batch size: the last batch is short, that of validation has one.
constexpr std::int64_t kTrainSamples = 64;
constexpr std::int64_t kValidationSamples = 25;
constexpr std::int64_t kBatchSize = 12;

/// Noise with a bright quarter that tells the class.
data::Samples make_samples(std::int64_t count, std::uint64_t seed) {
    data::Random random(seed);
    data::Samples samples{
        at::empty({count, kPictureChannels, kPictureSide, kPictureSide}, at::kByte),
        at::empty({count}, at::kLong)};
    auto* pixels = samples.images.mutable_data_ptr<std::uint8_t>();
    auto* labels = samples.labels.mutable_data_ptr<std::int64_t>();
    constexpr std::int64_t kPixels = kPictureSide * kPictureSide;
    for (std::int64_t n = 0; n < count; ++n) {
        labels[n] = n % kClasses;
        for (std::int64_t i = 0; i < kPictureChannels * kPixels; ++i) {
            const std::int64_t row = i % kPixels / kPictureSide;
            const std::int64_t column = i % kPictureSide;
            const std::int64_t quarter = row / (kPictureSide / 2) * 2 + column / (kPictureSide / 2);
            const std::uint64_t light = quarter == labels[n] ? 120 : 0;
            *pixels++ = static_cast<std::uint8_t>(light + random.below(120));
        }
    }
    return samples;
}

train::TrainingData make_data(std::uint64_t seed) {
    train::TrainingData data;
    data.train = make_samples(kTrainSamples, seed);
    data.validation = make_samples(kValidationSamples, seed + 1);
    data.test = make_samples(kClasses, seed + 2);
    data.normalisation = data::measure_normalisation(data.train);
    for (std::int64_t i = 0; i < kClasses; ++i) {
        data.classes.push_back("class " + std::to_string(i));
    }
    return data;
}

train::TrainingDefaults make_defaults() {
    train::TrainingDefaults defaults;
    defaults.batch_size = kBatchSize;
    defaults.learning_rate = 0.02;
    defaults.schedule = "constant";
    return defaults;
}

/// Before the first tensor is made.
at::Device open_processor() {
    train::set_threads(1);
    return train::open_device("cpu");
}

}  // namespace

Workbench::Workbench(const Subject& subject)
    : subject_(subject),
      data_((static_cast<void>(open_processor()), make_data(subject.seed()))),
      trainer_(data_, make_defaults(), at::kCPU) {}

plugin::TechniqueObject Workbench::make(const plugin::TechniqueMetadata& technique) const {
    return {observed_techniques(subject_.library().techniques()), technique.id};
}

Applied Workbench::apply(const plugin::TechniqueMetadata& technique, const Attempt& attempt) {
    plugin::TechniqueObject object = make(technique);
    object.configure(attempt.parameters);
    return apply(object, technique, attempt);
}

Applied Workbench::apply(plugin::TechniqueObject& object,
                         const plugin::TechniqueMetadata& technique,
                         const Attempt& attempt) {
    plugin::StageServices services;
    services.trainer = &trainer_;
    services.label = attempt.label;
    services.seed = attempt.seed;
    services.artefact_directory = subject_.scratch() / "artefacts";
    services.cancelled = attempt.cancelled;
    Applied applied;
    applied.network = attempt.network->clone();
    const pipeline::Snapshot before = pipeline::take_snapshot(*attempt.network);
    reset_host_log();
    set_host_script({attempt.fail_at, {}});
    const auto start = std::chrono::steady_clock::now();
    try {
        plugin::run_stage(object, applied.network, *attempt.network, services);
    } catch (const Error& error) {
        applied.message = error.what();
        applied.code = error.code();
    }
    applied.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    set_host_script({});
    applied.log = host_log();
    applied.status = applied.log.apply_status;
    applied.metrics = services.metrics;
    if (applied.succeeded()) {
        const pipeline::CheckedStage stage{
            attempt.label,
            technique.id,
            plugin::resource_use(technique, attempt.parameters).writes};
        applied.findings = pipeline::check_stage(stage, before, applied.network);
    }
    return applied;
}

Attempt attempt_on(const Subject& subject,
                   const plugin::TechniqueMetadata& technique,
                   const network::Network& network) {
    Attempt attempt;
    attempt.network = &network;
    attempt.parameters = quick_parameters(technique);
    attempt.seed = subject.seed();
    return attempt;
}

std::string failure_text(const Applied& applied) {
    return "failed with status " + std::to_string(applied.status) + ": " + applied.message;
}

std::vector<at::Tensor> answers_of(const network::Network& network) {
    const data::Samples samples = make_samples(5, 99);
    const at::Tensor images = samples.images.to(at::kFloat).div(255.0);
    const c10::AutoGradMode no_gradients(false);
    return network::forward(network, images, {});
}

}  // namespace topress::conformance
