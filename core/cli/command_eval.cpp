// topress eval: accuracy, or error, of a saved network on the data it was trained for.
#include "base/files.hpp"
#include "cli/inputs.hpp"
#include "cli/ledger_table.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "config/load.hpp"
#include "network/element_type.hpp"
#include "network/serialize.hpp"
#include "pipeline/answers.hpp"
#include "pipeline/measure.hpp"
#include "pipeline/run_data.hpp"
#include "train/device.hpp"
#include "train/trainer.hpp"
#include "zoo/zoo.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace topress::cli {
namespace {

struct EvalOptions {
    std::string model;
    std::string data;
    std::string data_path;
    std::string config;
    std::string split = "test";
    std::string device = "cpu";
    std::string answers;
    int threads = 0;
    bool all_samples = false;
    bool in_double = false;
};

config::DataConfig data_of_config(const std::string& file) {
    config::LoadOptions load_options;
    load_options.architectures = zoo::families();
    const config::LoadResult loaded = config::load(file, {}, load_options);
    if (!loaded.ok()) {
        throw DiagnosticError(loaded.diagnostics);
    }
    return loaded.config.data;
}

/// From the flags, else the configuration, else what the network remembers.
config::DataConfig choose_data(const EvalOptions& options,
                               const std::optional<pipeline::DataMemory>& memory) {
    config::DataConfig data;
    if (!options.config.empty()) {
        data = data_of_config(options.config);
    } else if (memory) {
        data = memory->data;
    }
    if (!options.data.empty()) {
        data.dataset = options.data;
    }
    if (!options.data_path.empty()) {
        data.path = std::filesystem::absolute(options.data_path).string();
    }
    if (options.all_samples) {
        data.train_samples = 0;
        data.test_samples = 0;
    }
    if (data.dataset.empty()) {
        throw Error("eval/no-data",
                    "the network does not say what data it is for",
                    options.model,
                    "name it with --data FORMAT, or give --config CONFIG");
    }
    return data;
}

/// "accuracy 90.12 %", or "error 3.214, R2 0.9712".
std::string describe(double accuracy, const std::optional<double>& error) {
    return error ? "error " + error_text(*error) + ", R2 " + fixed(accuracy, 4)
                 : "accuracy " + percent(accuracy);
}

/// Names may differ from one set to the next, what they mean may not.
void require_same_task(const EvalOptions& options,
                       const std::optional<pipeline::DataMemory>& memory,
                       const train::TrainingData& data) {
    if (memory && memory->targets.empty() == data.is_regression()) {
        throw Error("data/mismatch",
                    data.is_regression()
                        ? "the network was trained on classes, the data set has numbers to predict"
                        : "the network was trained on numbers, the data set has classes",
                    options.model,
                    "name a data set of the task that the network was trained for");
    }
}

Outcome to_outcome(const EvalOptions& options,
                   const config::DataConfig& data,
                   const std::vector<std::string>& targets,
                   const network::Network& network,
                   const train::Evaluation& evaluation) {
    Outcome outcome;
    Json& json = outcome.document;
    json = pipeline::document_head("eval", {});
    json["model"] = options.model;
    json["dataset"] = data.dataset;
    json["split"] = options.split;
    json["samples"] = evaluation.samples;
    json["computed_in"] = options.in_double ? "float64" : "float32";
    if (evaluation.error) {
        json["error"] = pipeline::number(*evaluation.error);
        json["r2"] = pipeline::number(evaluation.accuracy);
        for (const auto& [target, error] : pipeline::name_errors(targets, evaluation)) {
            json["errors"][target] = pipeline::number(error);
        }
    } else {
        json["accuracy"] = pipeline::number(evaluation.accuracy);
    }
    json["loss"] = pipeline::number(evaluation.loss);
    json["exits"] = Json::array();
    outcome.text = describe(evaluation.accuracy, evaluation.error) + " on " +
                   std::to_string(evaluation.samples) + " " + options.split + " samples of " +
                   data.dataset + " (measured)\n";
    for (const auto& [target, error] : pipeline::name_errors(targets, evaluation)) {
        outcome.text +=
            "  " + target + ": root mean square error " + error_text(error) + " in its own unit\n";
    }
    for (const pipeline::ExitFigures& exit : pipeline::exit_figures(network, evaluation)) {
        json["exits"].push_back(pipeline::to_json(exit));
        outcome.text += "  " + exit.name + ": " + percent(exit.share) + " of the samples, " +
                        describe(exit.accuracy, exit.error) + "\n";
    }
    return outcome;
}

Outcome run_eval(const EvalOptions& options) {
    if (!options.answers.empty()) {
        require_writable(options.answers);
    }
    network::Network network = network::load_network(options.model);
    const auto memory = pipeline::memory_of(network::load_metadata(options.model), options.model);
    const config::DataConfig chosen = choose_data(options, memory);
    const auto normalisation = memory ? std::optional(memory->normalisation) : std::nullopt;
    const train::TrainingData data = pipeline::load_run_data(chosen, normalisation);
    require_same_task(options, memory, data);
    pipeline::require_fitting(network, data);
    train::set_threads(options.threads);
    train::Trainer trainer(data, {}, train::open_device(options.device));
    network.to(trainer.device());
    if (options.in_double) {
        network::set_element_type(network, at::kDouble);
    }
    const data::Samples& samples = options.split == "test" ? data.test : data.validation;
    pipeline::AnswerTable answers(network, data);
    train::AnswerListener listener;
    if (!options.answers.empty()) {
        listener = [&](const train::Answers& batch) { answers.add(batch); };
    }
    Outcome outcome = to_outcome(
        options, chosen, data.targets, network, trainer.evaluate(network, samples, listener));
    if (listener) {
        write_file_atomically(options.answers, answers.text());
        outcome.document["answers"] = options.answers;
        outcome.text += "  what it answered to each sample: " + options.answers + "\n";
    }
    return outcome;
}

}  // namespace

void add_eval_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<EvalOptions>();
    CLI::App* command = app.add_subcommand("eval", "accuracy of a saved network");
    command->add_option("MODEL", options->model, "saved network (*.safetensors)")->required();
    command->add_option("--data", options->data, "format of the data (default: the network's)")
        ->type_name("FORMAT")
        ->check(CLI::IsMember(data::formats()).description(""));
    command->add_option("--data-path", options->data_path, "folder of the data")->type_name("DIR");
    command->add_option("--config", options->config, "take [data] of this configuration")
        ->type_name("FILE");
    command->add_option("--split", options->split, "what to evaluate on (default test)")
        ->type_name("test|validation")
        ->check(CLI::IsMember({"test", "validation"}).description(""));
    command->add_flag(
        "--all-samples", options->all_samples, "ignore the caps on samples of the run");
    command
        ->add_option(
            "--answers", options->answers, "also write what it answers to every sample (CSV)")
        ->type_name("FILE");
    command->add_option("--device", options->device, "where to compute (default cpu)")
        ->type_name("cpu|cuda")
        ->check(CLI::IsMember({"cpu", "cuda"}).description(""));
    command->add_flag("--double", options->in_double, "slowly, without the rounding of floats");
    command->add_option("--threads", options->threads, "number of threads, 0 = physical cores")
        ->type_name("N")
        ->check(CLI::Range(0, 4096).description(""));
    command->footer("Example: topress eval runs/demo/network.safetensors --data fashion-mnist");
    command->callback([&session, options] {
        session.command = "eval";
        session.action = [options] { return run_eval(*options); };
    });
}

}  // namespace topress::cli
