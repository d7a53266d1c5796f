// Walks through the stages with the MACs and bits of every layer; networks of the family are built
// and counted, all else is arithmetic.
#include "pipeline/estimate.hpp"

#include "network/cost.hpp"
#include "network/serialize.hpp"
#include "pipeline/baseline.hpp"
#include "pipeline/parameter_files.hpp"
#include "zoo/zoo.hpp"

#include <algorithm>
#include <cmath>

namespace topress::pipeline {
namespace {

/// A convolution or linear layer. Units: MACs per sample.
struct Layer {
    double macs = 0;
    double weight_bits = 32;
    double activation_bits = 32;
};

/// The network as far as it is known.
struct State {
    std::vector<Layer> layers;
    std::optional<zoo::Specification> specification;
    bool is_known = false;

    [[nodiscard]] double macs() const {
        double sum = 0;
        for (const Layer& layer : layers) {
            sum += layer.macs;
        }
        return sum;
    }

    [[nodiscard]] double bitops() const {
        double sum = 0;
        for (const Layer& layer : layers) {
            sum += layer.macs * layer.weight_bits * layer.activation_bits;
        }
        return sum;
    }
};

std::vector<Layer> layers_of(const network::Network& network) {
    std::vector<Layer> layers;
    for (const network::NodeCost& node : network::cost_of(network).nodes) {
        if (node.macs > 0) {
            layers.push_back({node.macs,
                              static_cast<double>(node.weight_bits),
                              static_cast<double>(node.activation_bits)});
        }
    }
    return layers;
}

State state_of(const network::Network* start) {
    State state;
    if (start == nullptr) {
        return state;
    }
    state.is_known = true;
    state.layers = layers_of(*start);
    try {
        state.specification = zoo::specification_of(*start);
    } catch (const Error&) {
        state.specification.reset();  // a network of no family has no variants
    }
    return state;
}

/// Values of [technique.effect] for one stage.
class EffectOf {
  public:
    explicit EffectOf(const PlannedStage& stage) : stage_(stage) {}

    [[nodiscard]] std::optional<double> value(const char* key,
                                              std::optional<double> same = {}) const {
        return plugin::effect_of(stage_.technique, stage_.parameters, key, same);
    }

    [[nodiscard]] bool declares(const char* key) const {
        return stage_.technique.effect && stage_.technique.effect->values.contains(key);
    }

  private:
    const PlannedStage& stage_;
};

/// A technique swaps in another network of the family, in float. False: that is not known.
bool swap_architecture(const EffectOf& effect, State& state) {
    const auto depth = static_cast<std::int64_t>(effect.value("architecture_depth").value_or(0));
    const auto width = static_cast<std::int64_t>(effect.value("architecture_width").value_or(0));
    if (depth <= 0 && width <= 0) {
        return true;
    }
    if (!state.specification) {
        return false;
    }
    zoo::Specification wanted = *state.specification;
    wanted.depth = depth > 0 ? depth : wanted.depth;
    wanted.width = width > 0 ? width : wanted.width;
    try {
        const network::Network variant = zoo::outline(wanted);
        state.layers = layers_of(variant);
        state.specification = zoo::specification_of(variant);
    } catch (const Error&) {
        return false;  // the run will say what is wrong with it
    }
    return true;
}

/// Sets the precision of all layers, and of the first and the last one apart.
void set_bits(const EffectOf& effect, const char* key, double Layer::* bits, State& state) {
    const std::optional<double> wanted = effect.value(key);
    if (!wanted || *wanted <= 0 || state.layers.empty()) {
        return;
    }
    for (Layer& layer : state.layers) {
        layer.*bits = *wanted;
    }
    if (const auto ends = effect.value("first_last_bits", wanted); ends && *ends > 0) {
        state.layers.front().*bits = *ends;
        state.layers.back().*bits = *ends;
    }
}

EstimateState advance(const PlannedStage& stage, State& state) {
    const EffectOf effect(stage);
    if (stage.technique.kind == "dynamic" && !effect.declares("macs_ratio")) {
        return EstimateState::MeasuredOnly;
    }
    if (!stage.technique.effect || !state.is_known) {
        return EstimateState::Unknown;
    }
    if (!named_files(stage.parameters, stage.technique.parameters).empty()) {
        return EstimateState::Unknown;  // what a file brings is not declared
    }
    if (!swap_architecture(effect, state)) {
        return EstimateState::Unknown;
    }
    set_bits(effect, "weight_bits", &Layer::weight_bits, state);
    set_bits(effect, "activation_bits", &Layer::activation_bits, state);
    if (!effect.declares("macs_ratio")) {
        return EstimateState::Estimated;
    }
    const double ratio = effect.value("macs_ratio").value_or(0);
    if (ratio <= 0) {
        return EstimateState::Unknown;
    }
    for (Layer& layer : state.layers) {
        layer.macs *= ratio;
    }
    return EstimateState::Estimated;
}

void fill_cost(const State& state, double bitops_before, StageEstimate& row) {
    if (row.state == EstimateState::Estimated && state.is_known) {
        row.macs = state.macs();
        row.bitops = state.bitops();
        row.bitops_cr = *row.bitops > 0 ? std::optional(bitops_before / *row.bitops) : std::nullopt;
    }
}

/// Pictures to train on, as run_data.cpp will split them.
std::optional<std::int64_t> train_samples_of(const config::DataConfig& data) {
    const auto shape = shape_of_format(data.dataset);
    if (!shape) {
        return std::nullopt;
    }
    const std::int64_t all = data.train_samples > 0
                                 ? std::min<std::int64_t>(data.train_samples, shape->train_samples)
                                 : shape->train_samples;
    return all - std::llround(data.validation_ratio * static_cast<double>(all));
}

const char* state_name(EstimateState state) {
    return state == EstimateState::Estimated ? "estimated"
           : state == EstimateState::Unknown ? "unknown"
                                             : "measured-only";
}

Json or_null(const std::optional<double>& value) {
    return value ? number(*value) : Json(nullptr);
}

}  // namespace

std::optional<double> Estimate::sample_passes() const {
    return train_samples ? std::optional(epochs * static_cast<double>(*train_samples))
                         : std::nullopt;
}

std::optional<network::Network> starting_network(const config::RunConfig& config) {
    if (!config.model.checkpoint.empty()) {
        return network::load_network(config.model.checkpoint);
    }
    const auto shape = shape_of_format(config.data.dataset);
    return shape ? std::optional(zoo::outline(specification_of(config.model, *shape)))
                 : std::nullopt;
}

Estimate estimate(const Plan& plan, const network::Network* start) {
    State state = state_of(start);
    const double bitops_before = state.bitops();
    Estimate result;
    result.train_samples = train_samples_of(plan.config.data);
    StageEstimate baseline;
    baseline.label = "baseline";
    baseline.state = state.is_known ? EstimateState::Estimated : EstimateState::Unknown;
    baseline.epochs = plan.config.baseline.epochs;
    fill_cost(state, bitops_before, baseline);
    result.stages.push_back(std::move(baseline));
    for (const PlannedStage& stage : plan.stages) {
        StageEstimate row;
        row.label = stage.label;
        row.state = advance(stage, state);
        row.epochs = plugin::effect_of(stage.technique, stage.parameters, "epochs");
        if (!row.epochs && stage.technique.effect && !EffectOf(stage).declares("epochs")) {
            row.epochs = 0;
        }
        fill_cost(state, bitops_before, row);
        result.stages.push_back(std::move(row));
    }
    for (const StageEstimate& row : result.stages) {
        result.epochs += row.epochs.value_or(0);
        result.knows_all_epochs = result.knows_all_epochs && row.epochs.has_value();
    }
    return result;
}

Json to_json(const Estimate& estimate) {
    Json json;
    json["stages"] = Json::array();
    for (const StageEstimate& row : estimate.stages) {
        json["stages"].push_back({{"stage", row.label},
                                  {"state", state_name(row.state)},
                                  {"macs", or_null(row.macs)},
                                  {"bitops", or_null(row.bitops)},
                                  {"bitops_cr", or_null(row.bitops_cr)},
                                  {"epochs", or_null(row.epochs)}});
    }
    json["epochs"] = number(estimate.epochs);
    json["knows_all_epochs"] = estimate.knows_all_epochs;
    json["train_samples"] = estimate.train_samples ? Json(*estimate.train_samples) : Json(nullptr);
    json["sample_passes"] = or_null(estimate.sample_passes());
    return json;
}

}  // namespace topress::pipeline
