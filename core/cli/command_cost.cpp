// topress cost: MACs, bit operations, parameters and bytes of a network, operator by operator.
#include "cli/inputs.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "config/load.hpp"
#include "network/cost.hpp"
#include "network/serialize.hpp"
#include "pipeline/baseline.hpp"
#include "zoo/zoo.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

struct CostOptions {
    std::string target;
    ConfigInputs inputs;
    config::ModelConfig model;
    std::int64_t classes = 10;
    std::string input;  ///< empty = not given
};

/// "3x32x32" -> {3, 32, 32}. Throws Error{usage/bad-shape}.
std::vector<std::int64_t> parse_shape(const std::string& text) {
    std::vector<std::int64_t> shape;
    for (const std::string& part : CLI::detail::split(text, 'x')) {
        std::int64_t size = 0;
        if (!CLI::detail::lexical_cast(part, size) || size < 1) {
            throw Error("usage/bad-shape",
                        "'" + text + "' is not a picture shape",
                        "--input",
                        "write channels x height x width, for example 3x32x32");
        }
        shape.push_back(size);
    }
    return shape;
}

pipeline::DatasetShape shape_of_flags(const CostOptions& options) {
    return {parse_shape(options.input.empty() ? "3x32x32" : options.input), options.classes};
}

network::Network network_of_config(const CostOptions& options) {
    config::LoadOptions load_options;
    load_options.architectures = zoo::families();
    const config::LoadResult loaded =
        config::load(options.target, options.inputs.overrides(), load_options);
    if (!loaded.ok()) {
        throw DiagnosticError(loaded.diagnostics);
    }
    if (!loaded.config.model.checkpoint.empty()) {
        return network::load_network(loaded.config.model.checkpoint);
    }
    const auto shape = options.input.empty() ? pipeline::shape_of_format(loaded.config.data.dataset)
                                             : shape_of_flags(options);
    if (!shape) {
        throw Error("cost/unknown-shape",
                    "the shape of '" + loaded.config.data.dataset + "' is only in its files",
                    options.target,
                    "give the shape, for example: --input 3x224x224 --classes 1000");
    }
    return zoo::outline(pipeline::specification_of(loaded.config.model, *shape));
}

network::Network network_of_flags(const CostOptions& options) {
    return zoo::outline(pipeline::specification_of(options.model, shape_of_flags(options)));
}

network::Network find_network(const CostOptions& options) {
    if (options.target.empty()) {
        if (options.model.architecture.empty()) {
            throw Error("usage/missing-argument",
                        "a saved network, a configuration or --architecture is needed",
                        "cost",
                        "for example: topress cost network.safetensors");
        }
        return network_of_flags(options);
    }
    return is_config(options.target) ? network_of_config(options)
                                     : network::load_network(options.target);
}

std::string text_of(const network::Cost& cost, bool has_exits) {
    std::vector<std::vector<std::string>> lines;
    for (const network::NodeCost& node : cost.nodes) {
        if (node.macs > 0 || node.parameters > 0) {
            lines.push_back(
                {node.node,
                 node.op,
                 grouped(node.macs),
                 std::to_string(node.weight_bits) + "/" + std::to_string(node.activation_bits),
                 grouped(node.bitops),
                 grouped(node.parameters),
                 grouped(node.stored_bytes),
                 fixed(100 * node.reach, 1)});
        }
    }
    std::string text = render_table(
        {"operator", "kind", "MACs", "W/A bits", "BitOps", "parameters", "bytes", "reach %"},
        lines,
        2);
    text += "\nMACs          " + grouped(cost.macs) + "\nBitOps        " + grouped(cost.bitops) +
            "\nparameters    " + grouped(cost.parameters) + "\nstored bytes  " +
            grouped(cost.stored_bytes) + "\n";
    if (has_exits) {
        text += "expected with exits: " + grouped(cost.expected_macs) + " MACs, " +
                grouped(cost.expected_bitops) + " BitOps\n";
    }
    return text +
           "all figures are computed, for one sample; BitOps = MACs * weight bits * input bits\n";
}

Outcome run_cost(const CostOptions& options) {
    const network::Network network = find_network(options);
    const network::Cost cost = network::cost_of(network);
    Outcome outcome;
    outcome.document = pipeline::document_head("cost", {});
    outcome.document["target"] =
        options.target.empty() ? options.model.architecture : options.target;
    pipeline::add_cost(outcome.document, cost);
    outcome.text = text_of(cost, !network.exits().empty());
    return outcome;
}

}  // namespace

void add_cost_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<CostOptions>();
    CLI::App* command = app.add_subcommand("cost", "MACs, BitOps, parameters, bytes of a network");
    command->add_option("TARGET", options->target, "saved network, or configuration (*.toml)");
    command->add_option("--architecture", options->model.architecture, "a family instead of TARGET")
        ->type_name("NAME");
    command->add_option("--depth", options->model.depth, "layers, 0 = the usual")->type_name("N");
    command->add_option("--width", options->model.width, "first channels, 0 = the usual")
        ->type_name("N");
    command->add_option("--stem", options->model.stem, "small (default), or imagenet")
        ->type_name("NAME");
    command->add_option("--classes", options->classes, "answers (default 10)")->type_name("N");
    command->add_option("--input", options->input, "picture (default 3x32x32)")->type_name("CxHxW");
    add_set_option(*command, options->inputs);
    command->footer("Families: " + CLI::detail::join(zoo::families(), ", ") +
                    "\n\nExample: topress cost --architecture resnet --depth 34 --input 3x32x32");
    command->callback([&session, options] {
        session.command = "cost";
        session.action = [options] { return run_cost(*options); };
    });
}

}  // namespace topress::cli
