// The JSON schema of plugin.toml, made of the key tables of the parser.
#include "plugin/metadata_json.hpp"
#include "plugin/metadata_schema.hpp"

#include <topress/metadata.h>

#include <cstddef>
#include <utility>

namespace topress::plugin {

namespace {

using config::ParameterSpec;
using config::ParameterType;

constexpr const char* kComponent = "[a-z][a-z0-9_-]*";

std::string one_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : "|") + word;
    }
    return std::string("(") + text + ")";
}

// The spelling rules of metadata_schema.cpp as patterns; a test compares the two.
std::string identifier(const char* repeated) {
    return std::string(kComponent) + "(\\." + kComponent + ")" + repeated;
}

std::string whole(const std::string& pattern) {
    return std::string("^") + pattern + "$";
}

Json string_like(const std::string& pattern) {
    return {{"type", "string"}, {"pattern", whole(pattern)}};
}

Json list_of(const std::string& pattern) {
    return {{"type", "array"}, {"items", string_like(pattern)}};
}

std::string technique_pattern() {
    return identifier("*");
}

std::string resource_pattern() {
    return std::string("(") + one_of(known_resources()) + "|" + TOPRESS_RESOURCE_PREFIX +
           kComponent + ")";
}

std::string reference_pattern() {
    return std::string("(") + identifier("*") + "|" + TOPRESS_REFERENCE_CAPABILITY +
           identifier("*") + "|" + TOPRESS_REFERENCE_KIND + one_of({TOPRESS_KINDS}) + "|" +
           TOPRESS_REFERENCE_GRANULARITY + one_of({TOPRESS_GRANULARITIES}) + ")";
}

Json type_of(ParameterType type) {
    switch (type) {
        case ParameterType::Bool:
            return {{"type", "boolean"}};
        case ParameterType::Integer:
            return {{"type", "integer"}};
        case ParameterType::Number:
            return {{"type", "number"}};
        case ParameterType::String:
            return {{"type", "string"}};
        case ParameterType::IntegerList:
            return {{"type", "array"}, {"items", {{"type", "integer"}}}};
        case ParameterType::NumberList:
            return {{"type", "array"}, {"items", {{"type", "number"}}}};
        case ParameterType::StringList:
            break;
    }
    return {{"type", "array"}, {"items", {{"type", "string"}}}};
}

Json property(const ParameterSpec& spec) {
    Json json = type_of(spec.type);
    if (!spec.values.empty()) {
        json["enum"] = spec.values;
    }
    if (spec.default_value && spec.type != ParameterType::StringList) {
        std::visit([&](const auto& value) { json["default"] = value; }, *spec.default_value);
    }
    json["description"] = spec.doc;
    return json;
}

// A closed table of these keys.
Json table(const Specs& specs, const std::string& description) {
    Json json = {{"type", "object"}, {"description", description}};
    Json required = Json::array();
    Json properties = Json::object();
    for (const ParameterSpec& spec : specs) {
        properties[spec.name] = property(spec);
        if (!spec.default_value && !spec.optional) {
            required.push_back(spec.name);
        }
    }
    json["properties"] = std::move(properties);
    json["required"] = std::move(required);
    json["additionalProperties"] = false;
    return json;
}

void constrain(Json& table, const char* key, const Json& constraint) {
    table.at("properties").at(key).update(constraint);
}

void add(Json& table, const char* key, Json property, const char* description) {
    property["description"] = description;
    table.at("properties")[key] = std::move(property);
}

Json rows(Json items) {
    return {{"type", "array"}, {"items", std::move(items)}};
}

Json reference_to(const char* definition) {
    return {{"$ref", std::string("#/$defs/") + definition}};
}

// ---- the tables ---------------------------------------------------------------------------------

Json any_value(bool lists_of_all) {
    Json kinds = {type_of(ParameterType::Bool),
                  type_of(ParameterType::Number),
                  type_of(ParameterType::String),
                  type_of(ParameterType::NumberList),
                  type_of(ParameterType::StringList)};
    if (!lists_of_all) {
        kinds.at(3)["minItems"] = 1;
        kinds.at(4)["minItems"] = 1;
    }
    return {{"anyOf", kinds}};
}

void add_condition(Json& table) {
    add(table, "is", any_value(false), "The value, or a list of those that count.");
    add(table, "is_not", any_value(false), "The value, or a list of those that do not count.");
    table["oneOf"] = {{{"required", {"is"}}}, {{"required", {"is_not"}}}};
}

Json condition_table() {
    Json json = table(condition_keys(), "A condition on another parameter.");
    add_condition(json);
    return json;
}

Json when_table() {
    Specs keys = condition_keys();
    keys.insert(keys.end(), when_keys().begin(), when_keys().end());
    Json json = table(keys, "Resources that are touched under a condition on a parameter.");
    add_condition(json);
    constrain(json, "reads", list_of(resource_pattern()));
    constrain(json, "writes", list_of(resource_pattern()));
    return json;
}

Json relation_table() {
    Json json = table(relation_keys(), "One relation in the order, with its reason.");
    constrain(json, "target", string_like(reference_pattern()));
    return json;
}

// "default" has the type that "type" names.
Json default_of_type(std::size_t type) {
    const std::string& name = parameter_type_names().at(type);
    return {
        {"if", {{"properties", {{"type", {{"const", name}}}}}}},
        {"then", {{"properties", {{"default", type_of(static_cast<ParameterType>(type))}}}}},
    };
}

Json parameter_table() {
    Json json = table(parameter_keys(), "One parameter.");
    add(json, "default", any_value(true), "Taken when it is not given; without one it must be.");
    add(json, "required_if", reference_to("condition"), "Must be given while this holds.");
    json["dependentSchemas"]["required_if"] = {
        {"properties", {{"default", false}}}};  // what has a default is never missing
    json["allOf"] = Json::array();
    for (std::size_t type = 0; type < parameter_type_names().size(); ++type) {
        json["allOf"].push_back(default_of_type(type));
    }
    return json;
}

Json plugin_table() {
    Json json = table(plugin_keys(), "The plugin as a whole.");
    constrain(json, "id", string_like(identifier("+")));
    constrain(json, "torch_namespaces", list_of("[A-Za-z_][A-Za-z0-9_]*"));
    return json;
}

// Every key takes a number or the name of a parameter.
Json effect_table() {
    Json json = table(effect_keys(), "What it is expected to do to the cost of a network.");
    for (const ParameterSpec& key : effect_keys()) {
        Json& value = json.at("properties").at(key.name);
        value.erase("type");
        value["anyOf"] = {{{"type", "number"}, {"minimum", 0}}, {{"type", "string"}}};
    }
    return json;
}

Json technique_table() {
    Json json = table(technique_keys(), "One technique.");
    constrain(json, "id", string_like(technique_pattern()));
    for (const char* key : {"provides", "replaces"}) {
        constrain(json, key, list_of(technique_pattern()));
    }
    for (const char* key : {"reads", "writes"}) {
        constrain(json, key, list_of(resource_pattern()));
    }
    for (const char* key : {"requires", "conflicts"}) {
        constrain(json, key, list_of(reference_pattern()));
    }
    add(json, "needs", table(needs_keys(), ""), "What it must be given to work.");
    add(json, "effect", effect_table(), "For estimates before anything runs.");
    add(json, "before", rows(reference_to("relation")), "It goes before these.");
    add(json, "after", rows(reference_to("relation")), "It goes after these.");
    add(json, "when", rows(reference_to("when")), "Resources under a condition.");
    add(json,
        "parameters",
        {{"type", "object"}, {"additionalProperties", reference_to("parameter")}},
        "What a configuration may set, one table each.");
    return json;
}

}  // namespace

Json metadata_json_schema() {
    Json json;
    json["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    json["title"] = "plugin.toml of a topress plugin";
    json.update(table(document_keys(), "What a plugin says about itself."));
    constrain(json, "schema", {{"const", kMetadataSchema}});
    json.at("properties")["plugin"] = plugin_table();
    add(json, "technique", rows(reference_to("technique")), "The techniques it offers.");
    json.at("properties").at("technique")["minItems"] = 1;
    json.at("required").push_back("plugin");
    json.at("required").push_back("technique");
    json["$defs"] = {{"technique", technique_table()},
                     {"relation", relation_table()},
                     {"when", when_table()},
                     {"condition", condition_table()},
                     {"parameter", parameter_table()}};
    return json;
}

}  // namespace topress::plugin
