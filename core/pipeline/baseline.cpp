// Stage number 0.
#include "pipeline/baseline.hpp"

#include "base/profile.hpp"
#include "network/serialize.hpp"
#include "pipeline/run_data.hpp"
#include "pipeline/stage_key.hpp"

#include <chrono>

namespace topress::pipeline {
namespace {

constexpr const char* kLabel = "baseline";

DatasetShape shape_of(const train::TrainingData& data) {
    return {data.train.images.sizes().slice(1).vec(), data.answers(), data.train.size()};
}

network::Network start_network(const RunContext& run) {
    const config::RunConfig& config = run.plan.config;
    return config.model.checkpoint.empty()
               ? zoo::build(specification_of(config.model, shape_of(run.data)), config.seed)
               : network::load_network(config.model.checkpoint);
}

std::vector<train::EpochRecord> train_baseline(RunContext& run, network::Network& network) {
    const config::RunConfig& config = run.plan.config;
    if (config.baseline.epochs <= 0) {
        return {};
    }
    train::FitOptions options;
    options.epochs = config.baseline.epochs;
    options.learning_rate = config.baseline.learning_rate;
    options.phase = kLabel;
    options.seed = config.seed;
    run.trainer->on_progress(run.options.observer.progress);
    run.trainer->set_cancelled(run.options.cancelled);
    return run.trainer->fit(network, options).epochs;
}

}  // namespace

std::int64_t depth_of(const config::ModelConfig& model) {
    return model.depth > 0 ? model.depth : zoo::usual_depth(model.architecture, model.stem);
}

zoo::Specification specification_of(const config::ModelConfig& model, const DatasetShape& shape) {
    zoo::Specification specification;
    specification.family = model.architecture;
    specification.depth = depth_of(model);
    specification.width = model.width;
    specification.classes = shape.classes;
    specification.input_shape = shape.picture;
    specification.stem = model.stem;
    return specification;
}

void run_baseline(RunContext& run) {
    const profile::Span span(kLabel, "stage");
    run.announce(0, kLabel, "");
    run.key = baseline_key(run.identity, run.plan.config);
    if (run.take_finished(kLabel)) {
        return;
    }
    const auto start = std::chrono::steady_clock::now();
    network::Network network = start_network(run);
    require_fitting(network, run.data);
    network.to(run.trainer->device());
    Row row;
    row.stage = kLabel;
    row.curves = train_baseline(run, network);
    row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    run.finish_stage(std::move(network), std::move(row));
}

}  // namespace topress::pipeline
