// What an exploration consists of: rounds (one setting, one seed) in each of which every order is
// run.
#pragma once

#include "explore/branches.hpp"
#include "pipeline/plan.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace topress::explore {

/// As the command asks for it.
struct Request {
    std::filesystem::path config_file;
    std::vector<std::string> overrides;
    std::vector<std::filesystem::path> plugin_paths;
    Modes modes;
    int seeds = 0;    ///< 0 = as the configuration says
    int jobs = 1;     ///< runs at the same time
    int threads = 0;  ///< of all of them together; 0 = physical cores
};

struct Round {
    std::string setting;  ///< empty if the configuration has none
    std::uint64_t seed = 0;
    pipeline::Plan plan;  ///< all techniques, as this setting has them

    /// "mild-s1", for folders and messages.
    [[nodiscard]] std::string name() const;
};

struct Experiment {
    pipeline::Plan plan;  ///< of the configuration as it is: what rules and evidence derive
    Sequence labels;      ///< the techniques to be ordered, in that order
    std::string finish;   ///< label that ends every order; empty: none
    std::vector<Round> rounds;
    std::vector<Sequence> orders;
    Tree tree;
    int jobs = 1;
    int threads = 1;  ///< of one run
};

/// Plans everything that would be run.
/// Throws: DiagnosticError; Error{explore/unknown-finish}, {explore/too-few}, {explore/too-many},
///         {explore/bad-setting}.
[[nodiscard]] Experiment prepare(const Request& request);

/// The configuration of one run: these techniques in this order, whatever rules say, and the
/// finishing technique last. TOML.
[[nodiscard]] std::string branch_config(const Experiment& experiment,
                                        const Round& round,
                                        const Sequence& order);

/// Technique id of a label. Requires: one of the plan's.
[[nodiscard]] std::string technique_of(const Experiment& experiment, const std::string& label);

/// "student 1.5 epochs, channel 1 epoch, finish 0.5 epochs, 12000 training samples": by the
/// parameter `epochs` of each technique, where it has one.
[[nodiscard]] std::string budget_text(const Experiment& experiment);

/// "resnet14", or the name of the checkpoint.
[[nodiscard]] std::string network_text(const Experiment& experiment);

}  // namespace topress::explore
