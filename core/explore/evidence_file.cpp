// Numbers are written so that they read back as the same value.
#include "explore/evidence_file.hpp"

#include "config/parameter.hpp"

#include <sstream>

namespace topress::explore {
namespace {

std::string toml(const config::ParameterValue& value) {
    return config::to_toml(value);
}

std::string scope_toml(const Experiment& experiment) {
    std::string text = "\n[scope]\n";
    text += "networks = " + toml(std::vector<std::string>{network_text(experiment)}) + "\n";
    text +=
        "datasets = " + toml(std::vector<std::string>{experiment.plan.config.data.dataset}) + "\n";
    return text + "budget = " + toml(budget_text(experiment)) + "\n";
}

std::string pair_toml(const Experiment& experiment, const PairResult& pair) {
    const std::string before = technique_of(experiment, pair.first[0]);
    const std::string after = technique_of(experiment, pair.first[1]);
    if (before == after || pair.differences.size() < 2) {
        return "";
    }
    return "\n[[pair]]\nbefore = " + toml(before) + "\nafter = " + toml(after) +
           "\ndifference = " + toml(pair.estimate.mean) + "\ninterval = [" +
           toml(pair.estimate.low) + ", " + toml(pair.estimate.high) +
           "]\nseeds = " + std::to_string(pair.differences.size()) + "\n";
}

std::string summary_of(const Experiment& experiment) {
    return "Orders of " + text_of(experiment.labels) + " on " + network_text(experiment) + " and " +
           experiment.plan.config.data.dataset + ".";
}

}  // namespace

std::string evidence_toml(const Experiment& experiment,
                          const Results& results,
                          const Findings& findings) {
    std::string pairs;
    for (const PairResult& pair : findings.pairs) {
        pairs += pair_toml(experiment, pair);
    }
    if (pairs.empty()) {
        return "";
    }
    std::string text =
        "# Written by `topress explore`. The difference is that of accuracy (a fraction) at equal "
        "BitOps, first\n"
        "# order minus second, with its 95 % interval over seeds; docs/evidence.md says how a plan "
        "reads it.\n"
        "schema = 1\n";
    text += "summary = " + toml(summary_of(experiment)) + "\n" + scope_toml(experiment) + pairs;
    for (const std::string& label : experiment.labels) {
        if (const auto ratio = intensity(experiment, results, label); ratio && *ratio > 0) {
            text += "\n[[intensity]]\ntechnique = " + toml(technique_of(experiment, label)) +
                    "\nbitops_ratio = " + toml(*ratio) + "\n";
        }
    }
    return text;
}

}  // namespace topress::explore
