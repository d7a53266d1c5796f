// topress inspect: what is in a saved network.
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "network/channels.hpp"
#include "network/cost.hpp"
#include "network/operators.hpp"
#include "network/serialize.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

using Shapes = std::map<std::string, network::Shape>;

std::string shape_text(const network::Shape& shape) {
    std::string text;
    for (const std::int64_t size : shape) {
        text += text.empty() ? "" : "x";
        text += std::to_string(size);
    }
    return text;
}

Json to_json(const network::Attribute& attribute) {
    return std::visit([](const auto& value) { return Json(value); }, attribute);
}

Json to_json(const network::Node& node, const Shapes& shapes) {
    Json json;
    json["name"] = node.name;
    json["op"] = node.op;
    json["inputs"] = node.inputs;
    json["outputs"] = node.outputs;
    json["shape"] = shapes.at(node.outputs.front());
    json["attributes"] = Json::object();
    for (const auto& [name, value] : node.attributes) {
        json["attributes"][name] = to_json(value);
    }
    return json;
}

Json to_json(const network::Parameter& parameter) {
    return {{"name", parameter.name},
            {"role", network::to_string(parameter.role)},
            {"shape", parameter.tensor.sizes().vec()}};
}

Json to_json(const network::Exit& exit) {
    return {{"name", exit.name},
            {"logits", exit.logits},
            {"criterion", exit.criterion},
            {"threshold", pipeline::number(exit.threshold)},
            {"share", pipeline::number(exit.share)}};
}

template <class List>
Json list_json(const List& list) {
    Json json = Json::array();
    for (const auto& element : list) {
        json.push_back(to_json(element));
    }
    return json;
}

Json document_of(const std::string& file, const network::Network& network, const Shapes& shapes) {
    Json json = pipeline::document_head("inspect", {});
    json["file"] = file;
    json["input"] = {{"name", network.input().name}, {"shape", network.input().shape}};
    json["output"] = {{"name", network.output()}, {"shape", shapes.at(network.output())}};
    json["settings"] = Json::object();
    for (const auto& [name, value] : network.settings()) {
        json["settings"][name] = to_json(value);
    }
    json["exits"] = list_json(network.exits());
    json["nodes"] = Json::array();
    for (const network::Node& node : network.nodes()) {
        json["nodes"].push_back(to_json(node, shapes));
    }
    json["parameters"] = list_json(network.parameters());
    json["channel_groups"] = Json::array();
    for (const network::ChannelGroup& group : network::find_channel_groups(network)) {
        json["channel_groups"].push_back({{"name", group.name}, {"channels", group.channels}});
    }
    json["metadata"] = Json::object();
    for (const auto& [key, text] : network::load_metadata(file)) {
        json["metadata"][key] = text;
    }
    return json;
}

std::string settings_text(const Json& document) {
    std::string text;
    for (const auto& [name, value] : document.at("settings").items()) {
        text += text.empty() ? "" : ", ";
        text += name + "=" + (value.is_string() ? value.template get<std::string>() : value.dump());
    }
    return text;
}

std::string exits_text(const network::Network& network) {
    std::string text;
    for (const network::Exit& exit : network.exits()) {
        text += "exit     " + exit.name + ": leaves when " + exit.criterion +
                " >= " + fixed(exit.threshold, 4) + ", share " + percent(exit.share) + "\n";
    }
    return text;
}

std::string text_of(const Json& document, const network::Network& network, const Shapes& shapes) {
    std::string text = "file     " + document.at("file").get<std::string>() + "\n";
    text += "input    " + network.input().name + " " + shape_text(network.input().shape) + "\n";
    text += "output   " + network.output() + " " + shape_text(shapes.at(network.output())) + "\n";
    text += "made as  " + settings_text(document) + "\n" + exits_text(network);
    text += "channels " + std::to_string(document.at("channel_groups").size()) +
            " groups that can be pruned\n\n";
    std::vector<std::vector<std::string>> lines;
    for (const network::Node& node : network.nodes()) {
        const int bits = network::precision_of(network, node.outputs.front()).bits;
        lines.push_back({node.name,
                         node.op,
                         shape_text(shapes.at(node.outputs.front())),
                         std::to_string(bits)});
    }
    return text + render_table({"operator", "kind", "output", "bits"}, lines, 2);
}

Outcome run_inspect(const std::string& file) {
    const network::Network network = network::load_network(file);
    const Shapes shapes = network::infer_shapes(network);
    Outcome outcome;
    outcome.document = document_of(file, network, shapes);
    outcome.text = text_of(outcome.document, network, shapes);
    return outcome;
}

}  // namespace

void add_inspect_command(CLI::App& app, Session& session) {
    auto file = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("inspect", "operators, exits and settings of a network");
    command->add_option("MODEL", *file, "saved network (*.safetensors)")->required();
    command->footer("Example: topress inspect runs/demo/network.safetensors");
    command->callback([&session, file] {
        session.command = "inspect";
        session.action = [file] { return run_inspect(*file); };
    });
}

}  // namespace topress::cli
