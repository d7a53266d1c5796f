// Graph to JSON and back. Reading trusts nothing: types are checked here, meaning by Network
// itself.
#include "network/graph_json.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace topress::network {
namespace {

using Json = nlohmann::json;

constexpr int kSchema = 1;
constexpr std::size_t kMaximumItems = 100000;
constexpr std::size_t kMaximumExits = 1000;

void check_finite(const std::string& name, double value) {
    if (!std::isfinite(value)) {
        throw Error(
            "network/bad-attribute", "'" + name + "' is not finite and cannot be stored", name);
    }
}

Json to_json(const std::string& name, const Attribute& attribute) {
    if (const auto* number = std::get_if<double>(&attribute)) {
        check_finite(name, *number);
    }
    if (const auto* numbers = std::get_if<std::vector<double>>(&attribute)) {
        std::for_each(numbers->begin(), numbers->end(), [&](double n) { check_finite(name, n); });
    }
    return std::visit([](const auto& value) { return Json(value); }, attribute);
}

Json to_json(const Attributes& attributes) {
    Json result = Json::object();
    for (const auto& [name, value] : attributes) {
        result[name] = to_json(name, value);
    }
    return result;
}

Json to_json(const Node& node) {
    return {{"name", node.name},
            {"op", node.op},
            {"inputs", node.inputs},
            {"outputs", node.outputs},
            {"attributes", to_json(node.attributes)}};
}

Json to_json(const Exit& exit) {
    return {{"name", exit.name},
            {"logits", exit.logits},
            {"criterion", exit.criterion},
            {"threshold", exit.threshold},
            {"share", std::isnan(exit.share) ? Json() : Json(exit.share)}};
}

[[noreturn]] void throw_graph(const std::string& what) {
    throw Error("network/bad-file", "graph: " + what);
}

const Json& member(const Json& object, const char* key) {
    if (!object.is_object() || !object.contains(key)) {
        throw_graph(std::string("'") + key + "' is missing");
    }
    return object[key];
}

std::string text(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_string()) {
        throw_graph(std::string("'") + key + "' is no text");
    }
    return value.get<std::string>();
}

double number(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (!value.is_number()) {
        throw_graph(std::string("'") + key + "' is no number");
    }
    return value.get<double>();
}

const Json& list(const Json& object, const char* key, std::size_t limit) {
    const Json& value = member(object, key);
    if (!value.is_array() || value.size() > limit) {
        throw_graph(std::string("'") + key + "' is no list, or too long");
    }
    return value;
}

std::int64_t integer(const Json& value) {
    const bool fits = value.is_number_integer() &&
                      !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
    if (!fits) {
        throw_graph("a number is no 64-bit integer");
    }
    return value.get<std::int64_t>();
}

std::vector<std::string> texts(const Json& object, const char* key) {
    std::vector<std::string> result;
    for (const Json& value : list(object, key, kMaximumItems)) {
        if (!value.is_string()) {
            throw_graph(std::string("'") + key + "' holds something that is no text");
        }
        result.push_back(value.get<std::string>());
    }
    return result;
}

Attribute parse_list(const Json& value) {
    const bool has_fraction = std::any_of(
        value.begin(), value.end(), [](const Json& item) { return item.is_number_float(); });
    if (!has_fraction) {
        std::vector<std::int64_t> result;
        std::transform(value.begin(), value.end(), std::back_inserter(result), integer);
        return result;
    }
    std::vector<double> result;
    for (const Json& item : value) {
        if (!item.is_number()) {
            throw_graph("an attribute list mixes numbers with something else");
        }
        result.push_back(item.get<double>());
    }
    return result;
}

Attribute parse_attribute(const std::string& name, const Json& value) {
    switch (value.type()) {
        case Json::value_t::boolean:
            return value.get<bool>();
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return integer(value);
        case Json::value_t::number_float:
            return value.get<double>();
        case Json::value_t::string:
            return value.get<std::string>();
        case Json::value_t::array:
            return parse_list(value);
        default:
            throw_graph("attribute '" + name + "' has no known type");
    }
}

Attributes parse_attributes(const Json& object, const char* key) {
    const Json& table = member(object, key);
    if (!table.is_object()) {
        throw_graph(std::string("'") + key + "' is no table");
    }
    Attributes result;
    for (const auto& [name, value] : table.items()) {
        result[name] = parse_attribute(name, value);
    }
    return result;
}

Exit parse_exit(const Json& value) {
    Exit exit;
    exit.name = text(value, "name");
    exit.logits = text(value, "logits");
    exit.criterion = text(value, "criterion");
    exit.threshold = number(value, "threshold");
    if (!member(value, "share").is_null()) {
        exit.share = number(value, "share");
    }
    return exit;
}

Input parse_input(const Json& value) {
    Input input;
    input.name = text(value, "name");
    constexpr std::size_t kMaximumRank = 8;
    for (const Json& size : list(value, "shape", kMaximumRank)) {
        input.shape.push_back(integer(size));
    }
    return input;
}

}  // namespace

std::string graph_to_json(const Network& network) {
    Json graph = {{"schema", kSchema},
                  {"input", {{"name", network.input().name}, {"shape", network.input().shape}}},
                  {"output", network.output()},
                  {"nodes", Json::array()},
                  {"parameters", Json::array()},
                  {"exits", Json::array()},
                  {"settings", to_json(network.settings())}};
    for (const Node& node : network.nodes()) {
        graph["nodes"].push_back(to_json(node));
    }
    for (const Parameter& parameter : network.parameters()) {
        graph["parameters"].push_back(
            {{"name", parameter.name}, {"role", to_string(parameter.role)}});
    }
    for (const Exit& exit : network.exits()) {
        graph["exits"].push_back(to_json(exit));
    }
    return graph.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Network graph_from_json(const std::string& source,
                        const std::function<at::Tensor(const std::string&)>& tensor_of) {
    const Json graph = Json::parse(source, nullptr, false);
    if (member(graph, "schema") != Json(kSchema)) {
        throw_graph("'schema' is not 1: the file is of another version of topress");
    }
    Network network;
    network.set_input(parse_input(member(graph, "input")));
    for (const Json& value : list(graph, "parameters", kMaximumItems)) {
        const std::string name = text(value, "name");
        network.add_parameter(name, parse_role(text(value, "role")), tensor_of(name));
    }
    for (const Json& value : list(graph, "nodes", kMaximumItems)) {
        network.add_node({text(value, "name"),
                          text(value, "op"),
                          texts(value, "inputs"),
                          texts(value, "outputs"),
                          parse_attributes(value, "attributes")},
                         true);
    }
    network.set_output(text(graph, "output"));
    for (const Json& value : list(graph, "exits", kMaximumExits)) {
        network.add_exit(parse_exit(value));
    }
    for (const auto& [name, value] : parse_attributes(graph, "settings")) {
        network.set_setting(name, value);
    }
    return network;
}

}  // namespace topress::network
