// Options that several commands have in the same form.
#pragma once

#include "pipeline/lower.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace topress::cli {

/// CONFIG with --set, --device, --threads and --plugin-path, as the user gave them.
struct ConfigInputs {
    std::string config;
    std::vector<std::string> set;
    std::string device;
    int threads = -1;  ///< -1 = not given
    std::vector<std::string> plugin_paths;

    /// --device and --threads as overrides behind those of --set.
    [[nodiscard]] std::vector<std::string> overrides() const;
    [[nodiscard]] pipeline::PlanInputs plan_inputs() const;
};

void add_set_option(CLI::App& command, ConfigInputs& inputs);
void add_device_options(CLI::App& command, ConfigInputs& inputs);
void add_plugin_path_option(CLI::App& command, std::vector<std::string>& paths);

/// *.toml: a configuration; anything else is a saved network.
[[nodiscard]] bool is_config(const std::string& path);

}  // namespace topress::cli
