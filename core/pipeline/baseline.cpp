// Stage number 0.
#include "pipeline/baseline.hpp"

#include "base/profile.hpp"
#include "network/serialize.hpp"
#include "pipeline/run_data.hpp"
#include "pipeline/stage_key.hpp"
#include "zoo/zoo.hpp"

#include <chrono>

namespace topress::pipeline {
namespace {

constexpr const char* kLabel = "baseline";

DatasetShape shape_of(const train::TrainingData& data) {
    return {data.train.images.sizes().slice(1).vec(),
            static_cast<std::int64_t>(data.classes.size()),
            data.train.size()};
}

network::Network start_network(const RunContext& run) {
    const config::RunConfig& config = run.plan.config;
    return config.model.checkpoint.empty() ? build_network(config, shape_of(run.data))
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

std::int64_t usual_depth(const std::string& family) {
    return family == "vgg" ? 16 : 20;
}

network::Network build_network(const std::string& family,
                               std::int64_t depth,
                               std::int64_t width,
                               const DatasetShape& shape,
                               std::uint64_t seed) {
    zoo::Specification specification;
    specification.family = family;
    specification.depth = depth > 0 ? depth : usual_depth(family);
    specification.width = width;
    specification.classes = shape.classes;
    specification.input_shape = shape.picture;
    return zoo::build(specification, seed);
}

network::Network build_network(const config::RunConfig& config, const DatasetShape& shape) {
    return build_network(
        config.model.architecture, config.model.depth, config.model.width, shape, config.seed);
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
