// Where rule sets are found by name.
#pragma once

#include "base/diagnostic.hpp"
#include "order/rules.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::pipeline {

/// Folders with rule sets: beside the configuration file ("rules/"), share/topress/rules of the
/// installation this program runs from, and the source tree this program was built from.
[[nodiscard]] std::vector<std::filesystem::path> rule_folders(
    const std::filesystem::path& config_file);

/// Loads every rule set named; an absolute path is a file, anything else "<name>.toml" in the first
/// folder that has it. Mistakes are added: config/unknown-rules and those of order::load_rules().
[[nodiscard]] std::vector<order::RuleSet> load_rule_sets(
    const std::vector<std::string>& names,
    const std::vector<std::filesystem::path>& folders,
    const Location& where,
    Diagnostics& diagnostics);

}  // namespace topress::pipeline
