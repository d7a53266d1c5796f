// Parameters of techniques that name files: where they lie, and whether they can be read.
#pragma once

#include "base/diagnostic.hpp"
#include "config/parameter.hpp"

#include <map>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Makes the paths absolute, as those of the host's own keys: relative ones count from the folder
/// of the configuration that wrote them, those of `--set` and of defaults from the current folder.
/// Adds config/cannot-read for each that is no readable file. An empty text is no path.
void resolve_files(config::Parameters& parameters,
                   const std::vector<config::ParameterSpec>& specs,
                   Diagnostics& diagnostics);

/// Names of parameters and the files they name, after resolve_files().
[[nodiscard]] std::map<std::string, std::string> named_files(
    const config::Parameters& parameters, const std::vector<config::ParameterSpec>& specs);

}  // namespace topress::pipeline
