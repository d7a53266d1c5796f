// Data of a run, and the part of it that is saved with a network.
#include "pipeline/run_data.hpp"

#include "base/error.hpp"
#include "network/operators.hpp"
#include "pipeline/documents.hpp"

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
    return memory;
}

std::string text_of(const std::vector<std::int64_t>& shape) {
    return Json(shape).dump();
}

}  // namespace

train::TrainingData load_run_data(const config::DataConfig& config,
                                  const std::optional<data::Normalisation>& normalisation) {
    data::Dataset dataset = data::load_dataset(config.dataset, config.path);
    const data::Samples training = data::subset(dataset.train, config.train_samples, config.seed);
    data::Split split = data::split_validation(training, config.validation_ratio, config.seed);
    train::TrainingData result;
    result.train = std::move(split.train);
    result.validation = std::move(split.validation);
    result.test = data::subset(dataset.test, config.test_samples, config.seed);
    result.normalisation =
        normalisation ? *normalisation : data::measure_normalisation(result.train);
    result.augmentation = {config.crop_padding, config.flip, config.variants, config.seed};
    result.classes = std::move(dataset.classes);
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
    const auto classes = static_cast<std::int64_t>(data.classes.size());
    const network::Shape output = network::infer_shapes(network).at(network.output());
    if (output != network::Shape{classes}) {
        throw Error("data/mismatch",
                    "the network answers " + text_of(output) + ", the data set has " +
                        std::to_string(classes) + " classes",
                    "",
                    "name the data set that the network was trained on");
    }
}

}  // namespace topress::pipeline
