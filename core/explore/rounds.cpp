// Configuration -> rounds and the configuration of every run.
#include "explore/rounds.hpp"

#include "base/error.hpp"
#include "pipeline/baseline.hpp"
#include "pipeline/lower.hpp"
#include "train/device.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace topress::explore {
namespace {

/// More runs than anybody waits for: a typing mistake rather than a wish.
constexpr std::size_t kMostRuns = 100000;

pipeline::PlanInputs inputs_of(const Request& request, const std::vector<std::string>& more) {
    pipeline::PlanInputs inputs{request.config_file, request.overrides, request.plugin_paths};
    inputs.overrides.insert(inputs.overrides.end(), more.begin(), more.end());
    return inputs;
}

Sequence labels_to_order(const pipeline::Plan& plan, const std::string& finish) {
    Sequence labels;
    for (const std::string& label : plan.order.sequence) {
        if (label != finish) {
            labels.push_back(label);
        }
    }
    return labels;
}

void require_finish(const pipeline::Plan& plan, const std::string& finish) {
    if (!finish.empty() &&
        std::ranges::find(plan.order.sequence, finish) == plan.order.sequence.end()) {
        throw Error("explore/unknown-finish",
                    "'" + finish + "' under [explore] finish is no technique of this configuration",
                    plan.config.file,
                    "name one of the labels of [technique.LABEL]");
    }
}

void require_enough(const Experiment& experiment, const Modes& modes) {
    const std::size_t least = modes.insertions ? 3 : 2;
    if (experiment.labels.size() < least) {
        throw Error("explore/too-few",
                    "there are only " + std::to_string(experiment.labels.size()) +
                        " techniques to order" +
                        (experiment.finish.empty() ? "" : " besides '" + experiment.finish + "'"),
                    experiment.plan.config.file,
                    "configure at least " + std::to_string(least));
    }
}

/// Counted before anything is enumerated.
void require_feasible(const Experiment& experiment, const Modes& modes) {
    double orders = 1;
    for (std::size_t n = 2; modes.permutations && n <= experiment.labels.size(); ++n) {
        orders *= static_cast<double>(n);
    }
    if (orders > static_cast<double>(kMostRuns)) {
        throw Error("explore/too-many",
                    std::to_string(experiment.labels.size()) +
                        " techniques have more orders than can be run",
                    experiment.plan.config.file,
                    "use --pairs, which needs N * N runs only");
    }
}

Round make_round(const Request& request,
                 const std::string& setting,
                 std::vector<std::string> overrides,
                 std::uint64_t seed) {
    overrides.push_back("seed=" + std::to_string(seed));
    return {setting, seed, pipeline::load_plan(inputs_of(request, overrides))};
}

void require_same_techniques(const Experiment& experiment, const Round& round) {
    const auto sorted = [](const pipeline::Plan& plan) {
        std::set<std::string> labels(plan.order.sequence.begin(), plan.order.sequence.end());
        return labels;
    };
    if (sorted(experiment.plan) != sorted(round.plan)) {
        throw Error(
            "explore/bad-setting",
            "the setting '" + round.setting + "' has other techniques than the configuration",
            experiment.plan.config.file,
            "a setting may change parameters only");
    }
}

void add_rounds(const Request& request, Experiment& experiment) {
    const config::RunConfig& config = experiment.plan.config;
    std::vector<config::ExploreSetting> settings = config.explore.settings;
    if (settings.empty()) {
        settings.emplace_back();
    }
    const int seeds = request.seeds > 0 ? request.seeds : config.explore.seeds;
    for (int index = 0; index < seeds; ++index) {
        for (const config::ExploreSetting& setting : settings) {
            experiment.rounds.push_back(
                make_round(request,
                           setting.name,
                           setting.overrides,
                           config.seed + static_cast<std::uint64_t>(index)));
            require_same_techniques(experiment, experiment.rounds.back());
        }
    }
}

const pipeline::PlannedStage& stage_of(const pipeline::Plan& plan, const std::string& label) {
    return *std::ranges::find(plan.stages, label, &pipeline::PlannedStage::label);
}

/// "1.5 epochs" of a technique that has such a parameter.
std::string epochs_text(const pipeline::PlannedStage& stage) {
    const auto found = stage.parameters.find("epochs");
    if (found == stage.parameters.end()) {
        return "";
    }
    std::ostringstream text;
    std::visit(
        [&text](const auto& value) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
                text << value << (value == 1 ? " epoch" : " epochs");
            }
        },
        found->second.value);
    return text.str();
}

}  // namespace

std::string Round::name() const {
    return (setting.empty() ? "" : setting + "-") + "s" + std::to_string(seed);
}

Experiment prepare(const Request& request) {
    Experiment experiment;
    experiment.plan = pipeline::load_plan(inputs_of(request, {}));
    experiment.finish = experiment.plan.config.explore.finish;
    require_finish(experiment.plan, experiment.finish);
    experiment.labels = labels_to_order(experiment.plan, experiment.finish);
    require_enough(experiment, request.modes);
    require_feasible(experiment, request.modes);
    add_rounds(request, experiment);
    experiment.orders = orders_of(request.modes, experiment.labels);
    experiment.tree = make_tree(experiment.orders);
    const int wanted = request.threads > 0 ? request.threads : experiment.plan.config.threads;
    const int all = wanted > 0 ? wanted : train::count_physical_cores();
    experiment.jobs = std::max(1, request.jobs);
    experiment.threads = std::max(1, all / experiment.jobs);
    return experiment;
}

std::string branch_config(const Experiment& experiment, const Round& round, const Sequence& order) {
    Sequence labels = order;
    if (!experiment.finish.empty()) {
        labels.push_back(experiment.finish);
    }
    pipeline::Plan plan = round.plan;
    const auto is_absent = [&](const std::string& label) {
        return std::ranges::find(labels, label) == labels.end();
    };
    std::erase_if(plan.stages, [&](const auto& stage) { return is_absent(stage.label); });
    std::erase_if(plan.config.techniques,
                  [&](const auto& technique) { return is_absent(technique.label); });
    plan.config.order.edges.clear();
    plan.config.order.evidence.clear();
    plan.config.order.strict = false;
    plan.config.order.force = labels;
    plan.config.order.override_ = true;
    plan.config.explore = {};
    plan.config.output.clear();
    plan.config.threads = experiment.threads;
    return pipeline::resolved_config(plan);
}

std::string technique_of(const Experiment& experiment, const std::string& label) {
    return stage_of(experiment.plan, label).technique.id;
}

std::string budget_text(const Experiment& experiment) {
    std::string text;
    Sequence labels = experiment.labels;
    if (!experiment.finish.empty()) {
        labels.push_back(experiment.finish);
    }
    for (const std::string& label : labels) {
        const std::string epochs = epochs_text(stage_of(experiment.plan, label));
        if (!epochs.empty()) {
            text += (text.empty() ? "" : ", ") + label + " " + epochs;
        }
    }
    if (const int samples = experiment.plan.config.data.train_samples; samples > 0) {
        text += (text.empty() ? "" : ", ") + std::to_string(samples) + " samples";
    }
    return text;
}

std::string network_text(const Experiment& experiment) {
    const config::ModelConfig& model = experiment.plan.config.model;
    if (model.architecture.empty()) {
        return std::filesystem::path(model.checkpoint).stem().string();
    }
    return model.architecture + std::to_string(pipeline::depth_of(model));
}

}  // namespace topress::explore
