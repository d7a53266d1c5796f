// Shared options.
#include "cli/inputs.hpp"

#include <filesystem>

namespace topress::cli {

std::vector<std::string> ConfigInputs::overrides() const {
    std::vector<std::string> all = set;
    if (!device.empty()) {
        all.push_back("device=\"" + device + "\"");
    }
    if (threads >= 0) {
        all.push_back("threads=" + std::to_string(threads));
    }
    return all;
}

pipeline::PlanInputs ConfigInputs::plan_inputs() const {
    return {config, overrides(), {plugin_paths.begin(), plugin_paths.end()}};
}

void add_set_option(CLI::App& command, ConfigInputs& inputs) {
    command.add_option("--set", inputs.set, "override a setting: train.batch_size=64")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
}

void add_device_options(CLI::App& command, ConfigInputs& inputs) {
    command
        .add_option("--device", inputs.device, "where to compute (default: the configuration's)")
        ->type_name("cpu|cuda")
        ->check(CLI::IsMember({"cpu", "cuda"}).description(""));
    command.add_option("--threads", inputs.threads, "number of threads, 0 = physical cores")
        ->type_name("N")
        ->check(CLI::Range(0, 4096).description(""));
}

void add_plugin_path_option(CLI::App& command, std::vector<std::string>& paths) {
    command.add_option("--plugin-path", paths, "look for plugins here first (repeatable)")
        ->type_name("DIR")
        ->allow_extra_args(false);
}

bool is_config(const std::string& path) {
    return std::filesystem::path(path).extension() == ".toml";
}

}  // namespace topress::cli
