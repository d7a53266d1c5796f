// Where rule sets and evidence are found by name.
#pragma once

#include "base/diagnostic.hpp"
#include "order/evidence.hpp"
#include "order/rules.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace topress::pipeline {

/// The setting that names files of one kind, as a diagnostic speaks of it.
struct NamedFiles {
    const std::vector<std::string>& names;
    std::filesystem::path config_file;
    Location where;  ///< of the setting
};

/// Loads every rule set named, those named earlier with precedence; one named twice counts once. An
/// absolute path is a file, anything else "<name>.toml" in "rules/" beside the configuration, in
/// share/topress/rules of the installation this program runs from, or in the source tree it was
/// built from. Mistakes are added: config/unknown-rules and those of order::load_rules().
[[nodiscard]] std::vector<order::RuleSet> load_rule_sets(const NamedFiles& files,
                                                         Diagnostics& diagnostics);

/// Likewise for evidence, in folders "evidence". Mistakes: config/unknown-evidence and those of
/// order::load_evidence().
[[nodiscard]] std::vector<order::Evidence> load_evidence_files(const NamedFiles& files,
                                                               Diagnostics& diagnostics);

}  // namespace topress::pipeline
