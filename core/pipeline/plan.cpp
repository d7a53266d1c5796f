// The plan as a document.
#include "pipeline/plan.hpp"

#include "order/explain.hpp"

#include <algorithm>

namespace topress::pipeline {
namespace {

Json to_json(const config::Parameters& parameters) {
    Json json = Json::object();
    for (const auto& [name, given] : parameters) {
        std::visit([&, &key = name](const auto& value) { json[key] = value; }, given.value);
    }
    return json;
}

Json to_json(const PlannedStage& stage) {
    Json json;
    json["label"] = stage.label;
    json["technique"] = stage.technique.id;
    json["summary"] = stage.technique.summary;
    json["kind"] = stage.technique.kind;
    json["granularity"] = stage.technique.granularity;
    json["plugin"] = stage.plugin.metadata ? stage.plugin.metadata->id : "";
    json["plugin_version"] = stage.plugin.metadata ? stage.plugin.metadata->version : "";
    const plugin::ResourceUse use = plugin::resource_use(stage.technique, stage.parameters);
    json["reads"] = use.reads;
    json["writes"] = use.writes;
    json["parameters"] = to_json(stage.parameters);
    json["isolation"] = stage.isolation.is_process ? "process" : "in-process";
    json["timeout_s"] = stage.isolation.timeout_s;
    json["memory_limit_mb"] = stage.isolation.memory_limit_mb;
    return json;
}

Json to_json(const std::vector<order::LabelPair>& pairs) {
    Json json = Json::array();
    for (const auto& [first, second] : pairs) {
        json.push_back({first, second});
    }
    return json;
}

Json removals_json(const std::optional<std::vector<order::Removal>>& removals) {
    if (!removals) {
        return nullptr;
    }
    Json json = Json::array();
    for (const order::Removal& removal : *removals) {
        Json entry;
        entry["without"] = removal.label;
        entry["refused"] = !removal.refusal.empty();
        entry["refusal"] = removal.refusal;
        entry["order"] = removal.sequence;
        entry["turned"] = to_json(removal.turned);
        entry["freed"] = to_json(removal.freed);
        json.push_back(std::move(entry));
    }
    return json;
}

}  // namespace

Json to_json(const Plan& plan) {
    Json json = document_head("plan", plan.diagnostics);
    json["config_file"] = plan.config.file;
    add_order(json, plan.order);
    json["without"] = removals_json(plan.removals);
    json["dot"] = order::to_dot(plan.order);
    json["stages"] = Json::array();
    for (const PlannedStage& stage : plan.stages) {
        json["stages"].push_back(to_json(stage));
    }
    return json;
}

std::string resolved_config(const Plan& plan) {
    config::RunConfig config = plan.config;
    for (config::TechniqueEntry& entry : config.techniques) {
        const auto stage = std::ranges::find(plan.stages, entry.label, &PlannedStage::label);
        if (stage != plan.stages.end()) {
            entry.use = stage->technique.id;
            entry.parameters = stage->parameters;
            entry.isolation.mode = stage->isolation.is_process ? "process" : "in-process";
        }
    }
    return config::to_toml(config);
}

}  // namespace topress::pipeline
