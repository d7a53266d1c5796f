// Data of a run, and the part of it that is saved with a network.
#include "pipeline/run_data.hpp"

#include "base/error.hpp"
#include "network/operators.hpp"
#include "pipeline/documents.hpp"
#include "plugin/user_environment.hpp"

#include <filesystem>

namespace topress::pipeline {
namespace {

constexpr const char* kDataKey = "data";

DataMemory memory_from_json(const Json& json) {
    DataMemory memory;
    memory.data.dataset = json.at("dataset").get<std::string>();
    memory.data.validation_ratio = json.at("validation_ratio").get<double>();
    memory.data.train_samples = json.at("train_samples").get<int>();
    memory.data.test_samples = json.at("test_samples").get<int>();
    memory.data.seed = json.at("seed").get<std::uint64_t>();
    memory.normalisation.mean = json.at("mean").get<std::vector<double>>();
    memory.normalisation.deviation = json.at("deviation").get<std::vector<double>>();
    memory.classes = json.at("classes").get<std::vector<std::string>>();
    if (json.contains("targets")) {
        memory.targets = json.at("targets").get<std::vector<std::string>>();
        memory.normalisation.targets = {json.at("target_mean").get<std::vector<double>>(),
                                        json.at("target_deviation").get<std::vector<double>>()};
    }
    return memory;
}

/// What changes pictures, left open, is what can change no class; a number it might.
data::Augmentation augmentation_of(const config::DataConfig& config, bool is_regression) {
    return {config.crop_padding.value_or(is_regression ? 0 : 2),
            config.flip.value_or(!is_regression),
            config.variants,
            config.seed};
}

data::PictureStore picture_store(const config::DataConfig& config) {
    constexpr double kBytesPerGb = 1e9;
    const std::filesystem::path cache = plugin::UserEnvironment::of_process().cache_folder();
    return {cache.empty() ? cache : cache / "topress" / "pictures",
            static_cast<std::uint64_t>(config.map_above_gb * kBytesPerGb)};
}

std::string text_of(const std::vector<std::int64_t>& shape) {
    return Json(shape).dump();
}

}  // namespace

train::TrainingData load_run_data(const config::DataConfig& config,
                                  const std::optional<data::Normalisation>& normalisation) {
    const data::PictureStore store = picture_store(config);
    data::Dataset dataset = data::load_dataset(config.dataset, config.path, store);
    const data::Samples training =
        data::subset(dataset.train, config.train_samples, config.seed, store);
    data::Split split =
        data::split_validation(training, config.validation_ratio, config.seed, store);
    train::TrainingData result;
    result.train = std::move(split.train);
    result.validation = std::move(split.validation);
    result.test = data::subset(dataset.test, config.test_samples, config.seed, store);
    result.normalisation =
        normalisation ? *normalisation : data::measure_normalisation(result.train);
    result.augmentation = augmentation_of(config, !dataset.targets.empty());
    result.classes = std::move(dataset.classes);
    result.targets = std::move(dataset.targets);
    if (result.is_regression()) {
        data::TargetScale& scale = result.normalisation.targets;
        if (scale.mean.size() != result.targets.size()) {  // of a network that knew other targets
            scale = data::measure_normalisation(result.train).targets;
        }
        for (data::Samples* samples : {&result.train, &result.validation, &result.test}) {
            *samples = data::standardise_targets(*samples, scale);
        }
    }
    return result;
}

train::TrainingDefaults training_defaults(const config::TrainConfig& config) {
    train::TrainingDefaults defaults;
    defaults.batch_size = config.batch_size;
    defaults.optimizer = config.optimizer;
    defaults.learning_rate = config.learning_rate;
    defaults.momentum = config.momentum;
    defaults.weight_decay = config.weight_decay;
    defaults.schedule = config.schedule;
    defaults.warmup_epochs = config.warmup_epochs;
    defaults.label_smoothing = config.label_smoothing;
    defaults.loss = config.loss;
    defaults.reduced = config.precision == "bfloat16";
    defaults.cuda_graph = config.cuda_graph;
    defaults.original_weight = config.original_weight;
    return defaults;
}

std::map<std::string, std::string> to_metadata(const DataMemory& memory) {
    Json json;
    json["dataset"] = memory.data.dataset;
    json["validation_ratio"] = memory.data.validation_ratio;
    json["train_samples"] = memory.data.train_samples;
    json["test_samples"] = memory.data.test_samples;
    json["seed"] = memory.data.seed;
    json["mean"] = memory.normalisation.mean;
    json["deviation"] = memory.normalisation.deviation;
    json["classes"] = memory.classes;
    if (!memory.targets.empty()) {
        json["targets"] = memory.targets;
        json["target_mean"] = memory.normalisation.targets.mean;
        json["target_deviation"] = memory.normalisation.targets.deviation;
    }
    return {{kDataKey, json.dump()}};
}

std::optional<DataMemory> memory_of(const std::map<std::string, std::string>& metadata,
                                    const std::string& name_for_errors) {
    const auto entry = metadata.find(kDataKey);
    if (entry == metadata.end()) {
        return std::nullopt;
    }
    try {
        return memory_from_json(Json::parse(entry->second));
    } catch (const Json::exception& error) {
        throw Error("network/bad-file",
                    std::string("the entry about its data cannot be read: ") + error.what(),
                    name_for_errors);
    }
}

void require_fitting(const network::Network& network, const train::TrainingData& data) {
    const std::vector<std::int64_t> picture = data.train.images.sizes().slice(1).vec();
    if (picture != network.input().shape) {
        throw Error("data/mismatch",
                    "the network takes pictures of " + text_of(network.input().shape) +
                        ", the data set has " + text_of(picture),
                    "",
                    "name the data set that the network was trained on");
    }
    const network::Shape output = network::infer_shapes(network).at(network.output());
    if (output != network::Shape{data.answers()}) {
        throw Error("data/mismatch",
                    "the network answers " + text_of(output) + ", the data set has " +
                        std::to_string(data.answers()) +
                        (data.is_regression() ? " targets" : " classes"),
                    "",
                    "name the data set that the network was trained on");
    }
}

}  // namespace topress::pipeline
