// Trouble ahead: relations that the order does not keep, channels that kernels do not like.
#include "pipeline/foresee.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace topress::pipeline {
namespace {

constexpr double kKernelMultiple = 8;  // int8 kernels load 8 channels at once
constexpr double kInt8Bits = 8;
// Provided by a technique that trains weights and scales through the quantizers it finds.
constexpr const char* kTrainsQuantized = "quantization-aware-training";

using Strings = std::vector<std::string>;

Location place_of(const Plan& plan, const PlannedStage& stage) {
    const auto entry =
        std::ranges::find(plan.config.techniques, stage.label, &config::TechniqueEntry::label);
    return entry == plan.config.techniques.end() ? Location{} : entry->location;
}

Diagnostic finding(Severity severity, const char* code, Location where) {
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.code = code;
    diagnostic.location = std::move(where);
    return diagnostic;
}

std::string listed(const Strings& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    return text;
}

// ---- plan/undoes --------------------------------------------------------------------------------

/// What `later` writes of `names`; batch statistics are measured anew by anybody and say nothing.
Strings overwritten(const plugin::ResourceUse& later, const Strings& names) {
    Strings both;
    for (const std::string& name : names) {
        if (name != "batch-stats" && std::ranges::count(later.writes, name) != 0 &&
            std::ranges::count(both, name) == 0) {
            both.push_back(name);
        }
    }
    return both;
}

/// Weights that are trained as quantization trained them are no loss to it.
bool keeps_what_bits_won(const PlannedStage& earlier, const PlannedStage& later) {
    return earlier.technique.granularity == "bit" &&
           std::ranges::count(later.technique.provides, kTrainsQuantized) != 0;
}

/// A relation that asks for `later` before `earlier`, broken or set aside.
const order::Edge* unkept_relation(const order::Order& order,
                                   const PlannedStage& earlier,
                                   const PlannedStage& later) {
    const auto asks = [&](const order::Edge& edge) {
        return edge.before == later.label && edge.after == earlier.label;
    };
    const auto broken = std::ranges::find_if(order.violated, asks);
    if (broken != order.violated.end()) {
        return &*broken;
    }
    const auto aside = std::ranges::find_if(order.edges, asks);
    return aside == order.edges.end() ? nullptr : &*aside;
}

/// Whether the user insists on `earlier` first. Where measurements or other rule sets decide it,
/// the loss is a fact worth knowing, no mistake.
bool is_on_users_word(const order::Order& order,
                      const PlannedStage& earlier,
                      const PlannedStage& later) {
    return order.forced || std::ranges::any_of(order.edges, [&](const order::Edge& edge) {
               return edge.used && edge.where.origin == order::Origin::UserConfig &&
                      edge.before == earlier.label && edge.after == later.label;
           });
}

std::string loss_in_words(const PlannedStage& earlier,
                          const PlannedStage& later,
                          const Strings& written,
                          const Strings& used) {
    const bool replaces =
        later.technique.granularity == "architecture" &&
        std::ranges::count(written, "weights") != 0 &&
        std::ranges::count(plugin::resource_use(later.technique, later.parameters).writes,
                           "topology") != 0;
    const std::string subject = "'" + later.label + "' ";
    const std::string object = "'" + earlier.label + "'";
    if (replaces) {
        return subject + "replaces the network that " + object + " worked on: its " +
               listed(written) + " are lost, unless the technique carries them over itself";
    }
    if (!written.empty()) {
        return subject + "changes " + listed(written) + " after " + object +
               " has settled them: part of its effect, and of its training, is lost";
    }
    return subject + "changes " + listed(used) + ", which " + object +
           " was fitted to: what it decided holds for another network";
}

void add_undone(const Plan& plan,
                const PlannedStage& earlier,
                const PlannedStage& later,
                Diagnostics& found) {
    const order::Edge* relation = unkept_relation(plan.order, earlier, later);
    if (relation == nullptr) {
        return;
    }
    const auto first = plugin::resource_use(earlier.technique, earlier.parameters);
    const auto second = plugin::resource_use(later.technique, later.parameters);
    Strings written = overwritten(second, first.writes);
    Strings used = overwritten(second, first.reads);
    if (keeps_what_bits_won(earlier, later)) {
        std::erase(written, "weights");
        std::erase(used, "weights");
    }
    if (written.empty() && used.empty()) {
        return;
    }
    const Severity severity =
        is_on_users_word(plan.order, earlier, later) ? Severity::Warning : Severity::Info;
    Diagnostic diagnostic = finding(severity, "plan/undoes", place_of(plan, later));
    diagnostic.message = loss_in_words(earlier, later, written, used);
    diagnostic.notes.push_back(
        {relation->before + " before " + relation->after + ": " + relation->reason,
         order::to_location(relation->where)});
    diagnostic.hint = "let '" + later.label + "' go first, or leave one of the two out";
    found.push_back(std::move(diagnostic));
}

// ---- plan/channel-multiple ----------------------------------------------------------------------

std::optional<double> effect(const PlannedStage& stage, const char* key) {
    return plugin::effect_of(stage.technique, stage.parameters, key);
}

bool is_low_bit(const std::optional<double>& bits) {
    return bits && *bits > 0 && *bits <= kInt8Bits;
}

/// Where the setting is written, else where the technique is.
Location place_of_effect(const Plan& plan, const PlannedStage& stage, const char* key) {
    const std::string& parameter = stage.technique.effect->values.at(key).parameter;
    const auto given = stage.parameters.find(parameter);
    return given == stage.parameters.end() || given->second.where.line == 0 ? place_of(plan, stage)
                                                                            : given->second.where;
}

void add_multiple(const Plan& plan,
                  const PlannedStage& earlier,
                  const PlannedStage& later,
                  Diagnostics& found) {
    const auto multiple = effect(earlier, "channel_multiple");
    const auto weight_bits = effect(later, "weight_bits");
    const auto activation_bits = effect(later, "activation_bits");
    if (!multiple || *multiple < 1 || std::fmod(*multiple, kKernelMultiple) == 0 ||
        !is_low_bit(weight_bits) || !is_low_bit(activation_bits)) {
        return;
    }
    // Only 8 bits have kernels that want it; below that the figure is counted, not executed.
    const bool is_int8 = *weight_bits == kInt8Bits && *activation_bits == kInt8Bits;
    const std::string& parameter =
        earlier.technique.effect->values.at("channel_multiple").parameter;
    Diagnostic diagnostic = finding(is_int8 ? Severity::Warning : Severity::Info,
                                    "plan/channel-multiple",
                                    place_of_effect(plan, earlier, "channel_multiple"));
    diagnostic.message = "'" + earlier.label + "' leaves channels in multiples of " +
                         std::to_string(static_cast<int>(*multiple)) + ", but the " +
                         std::to_string(static_cast<int>(*weight_bits)) + "-bit kernels for '" +
                         later.label + "' are fast in multiples of 8";
    diagnostic.hint = parameter.empty() ? "another technique may keep multiples of 8"
                                        : "set " + parameter + " = 8 in [technique." +
                                              earlier.label + "], if you mean to run it in 8 bits";
    found.push_back(std::move(diagnostic));
}

}  // namespace

Diagnostics foresee(const Plan& plan) {
    Diagnostics found;
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        for (std::size_t j = i + 1; j < plan.stages.size(); ++j) {
            add_undone(plan, plan.stages[i], plan.stages[j], found);
            add_multiple(plan, plan.stages[i], plan.stages[j], found);
        }
    }
    return found;
}

}  // namespace topress::pipeline
