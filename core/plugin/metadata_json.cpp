// Metadata -> JSON.
#include "plugin/metadata_json.hpp"

#include "plugin/metadata_schema.hpp"

#include <cstddef>

namespace topress::plugin {

namespace {

Json json_of(const config::ParameterValue& value) {
    return std::visit([](const auto& held) { return Json(held); }, value);
}

Json json_of(const config::Condition& condition) {
    Json json;
    json["parameter"] = condition.parameter;
    Json values = Json::array();
    for (const config::ParameterValue& value : condition.values) {
        values.push_back(json_of(value));
    }
    json[condition.negated ? "is_not" : "is"] = std::move(values);
    return json;
}

Json json_of(const MetadataRelation& relation) {
    Json json;
    json["target"] = relation.target;
    json["strength"] = relation.is_hard ? "hard" : "soft";
    json["reason"] = relation.reason;
    json["source"] = relation.source;
    return json;
}

Json json_of(const ConditionalUse& use) {
    Json json = json_of(use.when);
    json["reads"] = use.reads;
    json["writes"] = use.writes;
    return json;
}

const char* to_string(Need need) {
    switch (need) {
        case Need::Required:
            return "required";
        case Need::Optional:
            return "optional";
        case Need::None:
            break;
    }
    return "none";
}

Json json_of(const Needs& needs) {
    Json json;
    json["training_data"] = needs.training_data;
    json["labels"] = needs.labels;
    json["teacher"] = needs.teacher;
    json["cuda"] = to_string(needs.cuda);
    return json;
}

Json json_of(const Effect& effect) {
    Json json = Json::object();
    for (const auto& [key, value] : effect.values) {
        json[key] = value.parameter.empty() ? Json(value.number) : Json(value.parameter);
    }
    return json;
}

Json json_of(const config::ParameterSpec& spec) {
    return to_json(spec);
}

Json json_of(const TechniqueMetadata& technique) {
    return to_json(technique);
}

template <class Element>
Json list_of(const std::vector<Element>& elements) {
    Json json = Json::array();
    for (const Element& element : elements) {
        json.push_back(json_of(element));
    }
    return json;
}

}  // namespace

Json to_json(const config::ParameterSpec& spec) {
    Json json;
    json["name"] = spec.name;
    json["type"] = parameter_type_names().at(static_cast<std::size_t>(spec.type));
    if (spec.default_value) {
        json["default"] = json_of(*spec.default_value);
    }
    json["optional"] = spec.optional;
    if (spec.is_file) {
        json["file"] = true;
    }
    if (spec.required_if) {
        json["required_if"] = json_of(*spec.required_if);
    }
    if (spec.minimum) {
        json["minimum"] = *spec.minimum;
    }
    if (spec.maximum) {
        json["maximum"] = *spec.maximum;
    }
    if (!spec.values.empty()) {
        json["values"] = spec.values;
    }
    json["unit"] = spec.unit;
    json["doc"] = spec.doc;
    return json;
}

Json to_json(const TechniqueMetadata& technique) {
    Json json;
    json["id"] = technique.id;
    json["summary"] = technique.summary;
    json["kind"] = technique.kind;
    json["granularity"] = technique.granularity;
    json["rank"] = technique.rank;
    json["reads"] = technique.reads;
    json["writes"] = technique.writes;
    json["when"] = list_of(technique.conditional);
    json["before"] = list_of(technique.before);
    json["after"] = list_of(technique.after);
    json["requires"] = technique.requires_;
    json["conflicts"] = technique.conflicts;
    json["provides"] = technique.provides;
    json["replaces"] = technique.replaces;
    json["needs"] = json_of(technique.needs);
    json["effect"] = technique.effect ? json_of(*technique.effect) : Json(nullptr);
    json["determinism"] = technique.determinism;
    json["isolation"] = technique.isolation;
    json["recalibrates"] = technique.recalibrates;
    json["parameters"] = list_of(technique.parameters);
    return json;
}

Json to_json(const PluginMetadata& plugin) {
    Json json;
    json["id"] = plugin.id;
    json["name"] = plugin.name;
    json["version"] = plugin.version;
    json["license"] = plugin.license;
    json["summary"] = plugin.summary;
    json["torch_namespaces"] = plugin.torch_namespaces;
    json["techniques"] = list_of(plugin.techniques);
    return json;
}

std::string to_text(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace topress::plugin
