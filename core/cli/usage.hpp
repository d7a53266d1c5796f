// Mistakes on the command line, with the nearest thing that exists.
#pragma once

#include "base/diagnostic.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace topress::cli {

/// What was wrong with these arguments (without the program's name) that CLI11 refused:
/// usage/unknown-command, usage/unknown-flag, or usage/bad-arguments with CLI11's own words.
[[nodiscard]] Diagnostic explain_usage(const CLI::App& app,
                                       const std::vector<std::string>& arguments,
                                       const CLI::ParseError& error);

/// "plugin list" for {"-v", "plugin", "list", "x"}; "topress" if no command is named.
[[nodiscard]] std::string command_name(const CLI::App& app,
                                       const std::vector<std::string>& arguments);

}  // namespace topress::cli
