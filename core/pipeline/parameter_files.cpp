// Paths in the parameters of techniques.
#include "pipeline/parameter_files.hpp"

#include "config/paths.hpp"

#include <filesystem>
#include <fstream>

namespace topress::pipeline {
namespace {

/// The path that a file parameter has, or nothing.
std::string* path_of(config::Parameters& parameters, const config::ParameterSpec& spec) {
    const auto given = parameters.find(spec.name);
    if (!spec.is_file || given == parameters.end()) {
        return nullptr;
    }
    auto* path = std::get_if<std::string>(&given->second.value);
    return path == nullptr || path->empty() ? nullptr : path;
}

bool is_readable_file(const std::string& path) {
    std::error_code failed;
    return std::filesystem::is_regular_file(path, failed) && std::ifstream(path).good();
}

}  // namespace

void resolve_files(config::Parameters& parameters,
                   const std::vector<config::ParameterSpec>& specs,
                   Diagnostics& diagnostics) {
    for (const config::ParameterSpec& spec : specs) {
        std::string* path = path_of(parameters, spec);
        if (path == nullptr) {
            continue;
        }
        const Location& where = parameters.at(spec.name).where;
        *path = config::anchored_path(*path, where);
        if (!is_readable_file(*path)) {
            Diagnostic missing;
            missing.code = "config/cannot-read";
            missing.message =
                "'" + spec.name + "' names '" + *path + "', which is no file that can be read";
            missing.location = where;
            missing.hint = "check the path; it counts from the folder of the configuration";
            diagnostics.push_back(std::move(missing));
        }
    }
}

std::map<std::string, std::string> named_files(const config::Parameters& parameters,
                                               const std::vector<config::ParameterSpec>& specs) {
    config::Parameters copy = parameters;
    std::map<std::string, std::string> files;
    for (const config::ParameterSpec& spec : specs) {
        if (const std::string* path = path_of(copy, spec)) {
            files[spec.name] = *path;
        }
    }
    return files;
}

}  // namespace topress::pipeline
