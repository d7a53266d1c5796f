// topress plan: the order and its reasons, nothing is executed.
#include "base/files.hpp"
#include "cli/inputs.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "network/cost.hpp"
#include "network/serialize.hpp"
#include "order/explain.hpp"
#include "pipeline/baseline.hpp"
#include "pipeline/graphviz.hpp"
#include "pipeline/lower.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

struct PlanOptions {
    ConfigInputs inputs;
    bool strict = false;
    std::vector<std::string> rules;
    std::vector<std::string> evidence;
    std::string dot;
    std::string svg;
};

/// Cost of the network that the run starts from; none if only the data set's files tell its shape.
std::optional<network::Cost> baseline_cost(const config::RunConfig& config) {
    if (!config.model.checkpoint.empty()) {
        return network::cost_of(network::load_network(config.model.checkpoint));
    }
    const auto shape = pipeline::shape_of_format(config.data.dataset);
    return shape ? std::optional(network::cost_of(pipeline::build_network(config, *shape)))
                 : std::nullopt;
}

void write_drawings(const PlanOptions& options, const order::Order& order) {
    const std::string dot = order::to_dot(order);
    if (!options.dot.empty()) {
        write_file_atomically(options.dot, dot);
    }
    if (options.svg.empty()) {
        return;
    }
    const std::optional<std::string> svg = pipeline::draw_svg(dot);
    if (!svg) {
        throw Error("plan/no-graphviz",
                    "the program 'dot' that draws the order did not run",
                    options.svg,
                    "install Graphviz (Debian: apt-get install graphviz), or use --dot");
    }
    write_file_atomically(options.svg, *svg + "\n");
}

std::string text_of(const pipeline::Plan& plan, const std::optional<network::Cost>& cost) {
    std::string text;
    for (const std::string& line : order::explain(plan.order)) {
        text += line + "\n";
    }
    if (cost) {
        text += "\nstarts from " + grouped(cost->macs) + " MACs, " + grouped(cost->bitops) +
                " BitOps, " + grouped(cost->parameters) + " parameters (computed)\n";
    }
    return text;
}

/// "order.rules=[...]" for the names of a repeated option.
std::string setting(const std::string& key, const std::vector<std::string>& names) {
    return std::string("order.") + key + "=" + config::to_toml(config::ParameterValue(names));
}

Outcome run_plan(const PlanOptions& options) {
    pipeline::PlanInputs inputs = options.inputs.plan_inputs();
    if (!options.rules.empty()) {
        inputs.overrides.push_back(setting("rules", options.rules));
    }
    if (!options.evidence.empty()) {
        inputs.overrides.push_back(setting("evidence", options.evidence));
    }
    if (options.strict) {
        inputs.overrides.emplace_back("order.strict=true");
    }
    const pipeline::Plan plan = pipeline::load_plan(inputs);
    const std::optional<network::Cost> cost = baseline_cost(plan.config);
    write_drawings(options, plan.order);
    Outcome outcome;
    outcome.document = pipeline::to_json(plan);
    if (cost) {
        outcome.document["baseline"] = {{"macs", pipeline::number(cost->macs)},
                                        {"bitops", pipeline::number(cost->bitops)},
                                        {"parameters", pipeline::number(cost->parameters)},
                                        {"stored_bytes", pipeline::number(cost->stored_bytes)}};
    }
    outcome.text = text_of(plan, cost);
    outcome.diagnostics = plan.diagnostics;
    return outcome;
}

}  // namespace

void add_plan_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<PlanOptions>();
    CLI::App* command = app.add_subcommand("plan", "show the order of the techniques and why");
    command->add_option("CONFIG", options->inputs.config, "configuration file (TOML)")->required();
    command->add_flag("--strict", options->strict, "pairs that nothing orders are errors");
    command->add_option("--rules", options->rules, "these rule sets instead (repeatable)")
        ->type_name("NAME|FILE")
        ->allow_extra_args(false);
    command->add_option("--evidence", options->evidence, "these measurements instead (repeatable)")
        ->type_name("NAME|FILE")
        ->allow_extra_args(false);
    command->add_option("--dot", options->dot, "write the order as a Graphviz graph")
        ->type_name("FILE");
    command->add_option("--svg", options->svg, "write the order as a drawing (needs Graphviz)")
        ->type_name("FILE");
    add_set_option(*command, options->inputs);
    add_plugin_path_option(*command, options->inputs.plugin_paths);
    command->footer("Example: topress plan configs/demo.toml --svg order.svg");
    command->callback([&session, options] {
        session.command = "plan";
        session.action = [options] { return run_plan(*options); };
    });
}

}  // namespace topress::cli
