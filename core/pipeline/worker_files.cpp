// Job, networks and result as files.
#include "pipeline/worker_files.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "network/serialize.hpp"
#include "pipeline/documents.hpp"

#include <system_error>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kJob = "job.json";
constexpr const char* kInput = "input.safetensors";
constexpr const char* kOriginal = "original.safetensors";
constexpr const char* kOutput = "output.safetensors";
constexpr const char* kResult = "result.json";

std::string hash_of(const std::string& bytes) {
    Hasher hasher;
    hasher.add(bytes);
    return hasher.hex();
}

Diagnostics diagnostics_from(const Json& json) {
    Diagnostics diagnostics;
    for (const Json& entry : json) {
        diagnostics.push_back(diagnostic_from_json(entry));
    }
    return diagnostics;
}

Error bad_result(const fs::path& file, const std::string& what) {
    return {"run/worker-bad-result",
            "the result of the stage's process cannot be used: " + what,
            file.string(),
            "run again with --resume; if it happens again, report it to the plugin's author"};
}

}  // namespace

void WorkerFolder::create() const {
    remove();
    std::error_code failed;
    fs::create_directories(root_, failed);
    if (!failed) {
        fs::permissions(root_, fs::perms::owner_all, failed);
    }
    if (failed) {
        throw Error("file/cannot-write",
                    "cannot create the folder for a stage's process: " + failed.message(),
                    root_.string(),
                    "check that the output directory may be written");
    }
}

void WorkerFolder::remove() const {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
    fs::remove(root_.parent_path(), ignored);  // unless the stage left files of its own there
}

void WorkerFolder::write_job(const WorkerJob& job, const std::string& config_text) const {
    Json json;
    json["schema"] = kDocumentSchema;
    json["label"] = job.label;
    json["only_configure"] = job.only_configure;
    json["libraries"] = Json::array();
    for (const fs::path& library : job.libraries) {
        json["libraries"].push_back(library.string());
    }
    json["own_library"] = job.own_library.string();
    json["artefact_directory"] = job.artefact_directory.string();
    json["mean"] = job.normalisation.mean;
    json["deviation"] = job.normalisation.deviation;
    json["target_mean"] = job.normalisation.targets.mean;
    json["target_deviation"] = job.normalisation.targets.deviation;
    write_file_atomically(config_file(), config_text);
    write_file_atomically(root_ / kJob, to_text(json));
}

WorkerJob WorkerFolder::read_job() const {
    const Json json = Json::parse(read_file(root_ / kJob));
    WorkerJob job;
    job.label = json.at("label").get<std::string>();
    job.only_configure = json.at("only_configure").get<bool>();
    for (const Json& library : json.at("libraries")) {
        job.libraries.emplace_back(library.get<std::string>());
    }
    job.own_library = json.at("own_library").get<std::string>();
    job.artefact_directory = json.at("artefact_directory").get<std::string>();
    job.normalisation.mean = json.at("mean").get<std::vector<double>>();
    job.normalisation.deviation = json.at("deviation").get<std::vector<double>>();
    job.normalisation.targets.mean = json.at("target_mean").get<std::vector<double>>();
    job.normalisation.targets.deviation = json.at("target_deviation").get<std::vector<double>>();
    return job;
}

void WorkerFolder::write_networks(const network::Network& input,
                                  const network::Network& original) const {
    network::save_network(input, root_ / kInput);
    network::save_network(original, root_ / kOriginal);
}

network::Network WorkerFolder::read_input() const {
    return network::load_network(root_ / kInput);
}

network::Network WorkerFolder::read_original() const {
    return network::load_network(root_ / kOriginal);
}

void WorkerFolder::write_result(const WorkerResult& result) const {
    Json json;
    json["schema"] = kDocumentSchema;
    json["diagnostics"] = to_json(result.diagnostics);
    json["leaks"] = to_json(result.leaks);
    json["row"] = to_json(result.row);
    json["network_hash"] = "";
    if (result.network) {
        const std::string bytes = network::to_bytes(*result.network);
        json["network_hash"] = hash_of(bytes);
        write_file_atomically(root_ / kOutput, bytes);
    }
    write_file_atomically(root_ / kResult, to_text(json));
}

bool WorkerFolder::has_result() const {
    std::error_code ignored;
    return fs::exists(root_ / kResult, ignored);
}

WorkerResult WorkerFolder::read_result() const {
    WorkerResult result;
    try {
        const Json json = Json::parse(read_file(root_ / kResult));
        result.diagnostics = diagnostics_from(json.at("diagnostics"));
        result.leaks = diagnostics_from(json.at("leaks"));
        result.row = row_from_json(json.at("row"));
        const std::string hash = json.at("network_hash").get<std::string>();
        if (!hash.empty()) {
            const std::string bytes = read_file(root_ / kOutput);
            if (hash_of(bytes) != hash) {
                throw bad_result(root_ / kOutput, "the network is not the one that was written");
            }
            result.network = network::from_bytes(bytes, (root_ / kOutput).string());
        }
    } catch (const Json::exception& error) {
        throw bad_result(root_ / kResult, error.what());
    } catch (const Error& error) {
        if (error.code() == "run/worker-bad-result") {
            throw;
        }
        throw bad_result(root_ / kOutput, error.what());
    }
    return result;
}

}  // namespace topress::pipeline
