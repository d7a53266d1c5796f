// topress plan: the order and its reasons, nothing is executed.
#include "base/files.hpp"
#include "cli/inputs.hpp"
#include "cli/plan_page.hpp"
#include "cli/session.hpp"
#include "network/cost.hpp"
#include "order/explain.hpp"
#include "pipeline/estimate.hpp"
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

/// "order.rules=[...]" for the names of a repeated option.
std::string setting(const std::string& key, const std::vector<std::string>& names) {
    return std::string("order.") + key + "=" + config::to_toml(config::ParameterValue(names));
}

Outcome run_plan(const PlanOptions& options, const Session& session) {
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
    const std::optional<network::Network> start = pipeline::starting_network(plan.config);
    const pipeline::Estimate estimate = pipeline::estimate(plan, start ? &*start : nullptr);
    write_drawings(options, plan.order);
    Outcome outcome;
    outcome.document = pipeline::to_json(plan);
    outcome.document["estimate"] = pipeline::to_json(estimate);
    if (start) {
        const network::Cost cost = network::cost_of(*start);
        outcome.document["baseline"] = {{"macs", pipeline::number(cost.macs)},
                                        {"bitops", pipeline::number(cost.bitops)},
                                        {"parameters", pipeline::number(cost.parameters)},
                                        {"stored_bytes", pipeline::number(cost.stored_bytes)}};
    }
    outcome.text = plan_page(plan, estimate, session.terminal);
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
        session.action = [&session, options] { return run_plan(*options, session); };
    });
}

}  // namespace topress::cli
