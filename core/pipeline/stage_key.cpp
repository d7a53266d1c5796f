// Settings count unless they are known not to: a new one can make keys too different, never equal
// by mistake.
#include "pipeline/stage_key.hpp"

#include "base/child_process.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "network/serialize.hpp"
#include "pipeline/parameter_files.hpp"
#include "pipeline/version.hpp"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <algorithm>
#include <fstream>

namespace topress::pipeline {
namespace {

void add_tensor(Hasher& hasher, const at::Tensor& tensor) {
    if (!tensor.defined()) {
        hasher.add("none");
        return;
    }
    const at::Tensor plain = tensor.contiguous();
    hasher.add(toString(plain.scalar_type()));
    for (const std::int64_t size : plain.sizes()) {
        hasher.add(std::to_string(size));
    }
    hasher.add(plain.const_data_ptr(), plain.nbytes());
}

void add_samples(Hasher& hasher, const data::Samples& samples) {
    add_tensor(hasher, samples.images);
    add_tensor(hasher, samples.labels);
}

/// Of a file that a parameter names its content counts, wherever it lies.
void add_parameters(Hasher& hasher, const PlannedStage& stage) {
    const auto files = named_files(stage.parameters, stage.technique.parameters);
    for (const auto& [name, given] : stage.parameters) {
        const auto file = files.find(name);
        hasher.add(name).add(file == files.end() ? config::to_toml(given.value)
                                                 : hash_of_file(file->second));
    }
}

void add_number(Hasher& hasher, double value) {
    hasher.add(config::to_toml(config::ParameterValue(value)));
}

void add_data(Hasher& hasher, const train::TrainingData& data) {
    add_samples(hasher, data.train);
    add_samples(hasher, data.validation);
    for (const double value : data.normalisation.mean) {
        add_number(hasher, value);
    }
    for (const double value : data.normalisation.deviation) {
        add_number(hasher, value);
    }
    for (const std::string& name : data.classes) {
        hasher.add(name);
    }
    for (const std::string& name : data.targets) {
        hasher.add("target").add(name);
    }
    for (const double value : data.normalisation.targets.mean) {
        add_number(hasher, value);
    }
    for (const double value : data.normalisation.targets.deviation) {
        add_number(hasher, value);
    }
}

/// Without what is hashed elsewhere or changes no result. A new section that changes none belongs
/// in this list.
config::RunConfig shared_settings(const config::RunConfig& config) {
    const config::RunConfig defaults;
    config::RunConfig shared = config;
    shared.techniques.clear();      // each stage adds its own
    shared.order = defaults.order;  // the input network says what came before
    shared.explore = defaults.explore;
    shared.plugins = defaults.plugins;  // the library's content counts, not its place
    shared.cache = defaults.cache;
    shared.output.clear();
    shared.model = defaults.model;        // the baseline adds it; others see the network
    shared.baseline = defaults.baseline;  // likewise
    shared.data.path.clear();             // its content counts
    shared.data.test_samples = defaults.data.test_samples;
    shared.data.map_above_gb = defaults.data.map_above_gb;
    shared.threads = defaults.threads;  // 0 means different numbers on different machines
    return shared;
}

bool has_operator(const network::Network& network, std::string_view name) {
    return std::ranges::any_of(network.nodes(),
                               [&](const network::Node& node) { return node.op == name; });
}

bool writes(const PlannedStage& stage, const std::string& resource) {
    const auto declared = plugin::resource_use(stage.technique, stage.parameters).writes;
    return std::ranges::find(declared, resource) != declared.end();
}

std::string hash_of(const network::Network& network) {
    const std::string bytes = network::to_bytes(network);
    return hash_bytes(bytes.data(), bytes.size());
}

/// What follows the colon in the first line that begins with `name`.
std::string line_of_file(const std::filesystem::path& path, std::string_view name) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with(name)) {
            return line.substr(line.find(':') + 1);
        }
    }
    return {};
}

/// Libraries below LibTorch choose their code by the model of the processor.
std::string processor() {
    return line_of_file("/proc/cpuinfo", "model name");
}

/// Models of the NVIDIA GPUs of this machine.
std::string graphics_processors() {
    std::string models;
    std::error_code failed;
    for (std::filesystem::directory_iterator item("/proc/driver/nvidia/gpus", failed), end;
         !failed && item != end;
         item.increment(failed)) {
        models += line_of_file(item->path() / "information", "Model");
    }
    return models;
}

std::string describe(at::Device device) {
    std::string text = device.str() + processor() + " " + at::get_cpu_capability();
    if (!device.is_cpu()) {
        text += graphics_processors() + " " + at::detail::getCUDAHooks().showConfig();
    }
    return text;
}

}  // namespace

HostIdentity HostIdentity::of_process(at::Device device) {
    return {hash_of_file(own_program()),
            pipeline::torch_version(),
            describe(device),
            at::get_num_threads()};
}

std::string run_identity(const HostIdentity& host,
                         const config::RunConfig& config,
                         const train::TrainingData& data) {
    Hasher hasher;
    hasher.add(host.program).add(host.torch_version).add(host.device);
    hasher.add(std::to_string(host.threads));
    hasher.add(config::to_toml(shared_settings(config)));
    add_data(hasher, data);
    return hasher.hex();
}

std::string baseline_key(const std::string& run_identity, const config::RunConfig& config) {
    config::RunConfig own;
    own.model = config.model;
    own.baseline = config.baseline;
    own.model.checkpoint.clear();
    Hasher hasher;
    hasher.add("baseline").add(run_identity).add(config::to_toml(own));
    if (!config.model.checkpoint.empty()) {
        hasher.add(hash_of_file(config.model.checkpoint));
    }
    return hasher.hex();
}

ExpectedOperators expected_operators(const StageFacts& facts) {
    const PlannedStage& stage = facts.stage;
    const bool in_worker = !facts.worker_libraries.empty();
    ExpectedOperators expected;
    expected.quantize =
        has_operator(facts.input, "quantize") || has_operator(facts.original, "quantize") ||
        (writes(stage, "precision") && (in_worker || stage.technique.granularity == "bit"));
    expected.exit_gate =
        !facts.input.exits().empty() || !facts.original.exits().empty() ||
        (writes(stage, "exits") && (in_worker || stage.technique.kind == "dynamic"));
    return expected;
}

std::string stage_key(const std::string& run_identity, const StageFacts& facts) {
    const PlannedStage& stage = facts.stage;
    Hasher hasher;
    hasher.add("stage").add(run_identity).add(hash_of(facts.input)).add(hash_of(facts.original));
    hasher.add(stage.label).add(stage.technique.id).add(facts.plugin);
    add_parameters(hasher, stage);
    for (const RecalibratingStage& again : facts.recalibrating) {
        hasher.add("again").add(again.stage.label).add(again.stage.technique.id).add(again.plugin);
        add_parameters(hasher, again.stage);
    }
    const ExpectedOperators expected = expected_operators(facts);
    hasher.add(expected.quantize ? facts.operators.quantize : std::string());
    hasher.add(expected.exit_gate ? facts.operators.exit_gate : std::string());
    if (expected.quantize || expected.exit_gate) {
        for (const std::string& library : facts.worker_libraries) {
            hasher.add(library);
        }
    }
    return hasher.hex();
}

std::string teacher_key(const std::string& run_identity,
                        const std::string& teacher,
                        const OperatorOrigins& operators) {
    Hasher hasher;
    hasher.add("teacher").add(run_identity).add(teacher).add(operators.quantize);
    return hasher.hex();
}

std::string hash_of_file(const std::filesystem::path& file) {
    const std::string bytes = read_file(file);
    return hash_bytes(bytes.data(), bytes.size());
}

}  // namespace topress::pipeline
