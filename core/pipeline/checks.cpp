// Post-stage invariants.
#include "pipeline/checks.hpp"

#include "network/cost.hpp"
#include "network/operators.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace topress::pipeline {
namespace {

using network::Network;

constexpr const char* kFaultHint = "this is a fault of the technique: report it to its author";
constexpr double kMacsSlack = 1e-9;  // sums of integers in double: only rounding may differ

std::string joined(const std::vector<std::int64_t>& shape) {
    std::string text;
    for (const std::int64_t size : shape) {
        text += text.empty() ? "" : "x";
        text += std::to_string(size);
    }
    return text.empty() ? "scalar" : text;
}

std::string named(const CheckedStage& stage) {
    return "stage '" + stage.label + "' (" + stage.technique + ")";
}

Diagnostic finding(const CheckedStage& stage,
                   const char* code,
                   const std::string& what,
                   const char* hint) {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.message = named(stage) + " " + what;
    diagnostic.hint = hint;
    return diagnostic;
}

void check_finite(const CheckedStage& stage, const Network& network, Diagnostics& found) {
    for (const network::Parameter& parameter : network.parameters()) {
        if (parameter.tensor.is_floating_point() &&
            !at::isfinite(parameter.tensor).all().item<bool>()) {
            found.push_back(
                finding(stage,
                        "check/not-finite",
                        "left values that are not finite in '" + parameter.name + "'",
                        "lower its learning rate, or start from a better trained network"));
            return;
        }
    }
}

void check_contract(const CheckedStage& stage,
                    const Snapshot& before,
                    const Snapshot& after,
                    Diagnostics& found) {
    if (before.input_shape != after.input_shape) {
        found.push_back(finding(stage,
                                "check/contract-changed",
                                "changed the input from " + joined(before.input_shape) + " to " +
                                    joined(after.input_shape),
                                kFaultHint));
    }
    if (before.output_shape != after.output_shape) {
        found.push_back(finding(stage,
                                "check/contract-changed",
                                "changed the output from " + joined(before.output_shape) + " to " +
                                    joined(after.output_shape),
                                kFaultHint));
    }
}

void check_writes(const CheckedStage& stage,
                  const std::vector<std::string>& changed,
                  Diagnostics& found) {
    const std::set<std::string> allowed = implied_writes(stage.writes);
    for (const std::string& resource : changed) {
        if (!allowed.contains(resource)) {
            found.push_back(finding(stage,
                                    "check/undeclared-write",
                                    "changed '" + resource + "', which its plugin does not declare",
                                    "the plugin's author must add it to `writes` in plugin.toml"));
        }
    }
}

/// Of the resources whose hashes are compared; x-* and others cannot be seen.
bool declares_visible_writes(const CheckedStage& stage) {
    const std::set<std::string> visible = {
        "topology", "channels", "weights", "batch-stats", "precision", "exits"};
    return std::ranges::any_of(
        stage.writes, [&](const std::string& resource) { return visible.contains(resource); });
}

void check_effect(const CheckedStage& stage,
                  const std::vector<std::string>& changed,
                  Diagnostics& found) {
    if (!changed.empty() || !declares_visible_writes(stage)) {
        return;
    }
    Diagnostic diagnostic =
        finding(stage,
                "check/no-effect",
                stage.may_be_idle ? "had nothing to do" : "ended well and changed nothing",
                "look at its parameters: the target may be reached already; then leave it out");
    if (stage.may_be_idle) {
        diagnostic.severity = Severity::Info;
    }
    found.push_back(std::move(diagnostic));
}

constexpr const char* kUndoneHint =
    "let the technique run before what it undoes: see the order that `topress plan` derives";

void check_size(const CheckedStage& stage,
                const Snapshot& before,
                const Snapshot& after,
                Diagnostics& found) {
    const bool may_grow = implied_writes(stage.writes).contains("topology");
    if (!may_grow && after.macs > before.macs * (1 + kMacsSlack)) {
        found.push_back(finding(stage,
                                "check/undone",
                                "grew the network from " +
                                    std::to_string(std::llround(before.macs)) + " to " +
                                    std::to_string(std::llround(after.macs)) + " MACs",
                                kUndoneHint));
    }
}

/// The first node whose bits went up, as text; empty if there is none.
std::string raised_bits(const std::map<std::string, int>& before,
                        const std::map<std::string, int>& after) {
    for (const auto& [node, bits] : before) {
        const auto found = after.find(node);
        if (found != after.end() && found->second > bits) {
            return "'" + node + "' from " + std::to_string(bits) + " to " +
                   std::to_string(found->second);
        }
    }
    return {};
}

void check_bits(const CheckedStage& stage,
                const Snapshot& before,
                const Snapshot& after,
                Diagnostics& found) {
    const std::string weights = raised_bits(before.weight_bits, after.weight_bits);
    const std::string inputs = raised_bits(before.activation_bits, after.activation_bits);
    for (const auto& [what, where] : {std::pair{"weight", weights}, std::pair{"input", inputs}}) {
        if (!where.empty()) {
            found.push_back(finding(stage,
                                    "check/undone",
                                    std::string("raised the ") + what + " bits of " + where,
                                    kUndoneHint));
        }
    }
}

void check_exits(const CheckedStage& stage,
                 const Snapshot& before,
                 const Snapshot& after,
                 Diagnostics& found) {
    if (implied_writes(stage.writes).contains("exits")) {
        return;
    }
    for (const std::string& exit : before.exits) {
        if (!after.exits.contains(exit)) {
            found.push_back(
                finding(stage, "check/undone", "removed the exit '" + exit + "'", kUndoneHint));
        }
    }
}

void read_costs(const Network& network, Snapshot& snapshot) {
    const std::set<std::string> main = main_path(network);
    for (const network::NodeCost& cost : network::cost_of(network).nodes) {
        const bool of_main = main.contains(network.node(cost.node).outputs.front());
        if (cost.macs > 0 && of_main) {
            snapshot.macs += cost.macs;
            snapshot.weight_bits[cost.node] = cost.weight_bits;
            snapshot.activation_bits[cost.node] = cost.activation_bits;
        }
    }
}

}  // namespace

Snapshot take_snapshot(const network::Network& network) {
    Snapshot snapshot;
    snapshot.resources = hash_resources(network);
    snapshot.input_shape = network.input().shape;
    snapshot.output_shape = network::infer_shapes(network).at(network.output());
    read_costs(network, snapshot);
    for (const network::Exit& exit : network.exits()) {
        snapshot.exits.insert(exit.name);
    }
    return snapshot;
}

Diagnostics check_whole(const CheckedStage& stage, const Network& network) {
    try {
        static_cast<void>(network::infer_shapes(network));
        return {};
    } catch (const Error& error) {
        return {finding(stage,
                        "check/broken-network",
                        std::string("left a network that does not hold together: ") + error.what(),
                        kFaultHint)};
    }
}

Diagnostics check_stage(const CheckedStage& stage,
                        const Snapshot& before,
                        const network::Network& after) {
    Diagnostics found = check_whole(stage, after);
    if (!found.empty()) {
        return found;
    }
    const Snapshot now = take_snapshot(after);
    const std::vector<std::string> changed = changed_resources(before.resources, now.resources);
    check_finite(stage, after, found);
    check_contract(stage, before, now, found);
    check_writes(stage, changed, found);
    check_effect(stage, changed, found);
    check_size(stage, before, now, found);
    check_bits(stage, before, now, found);
    check_exits(stage, before, now, found);
    return found;
}

}  // namespace topress::pipeline
