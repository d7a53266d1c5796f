// topress plugin why ID|FILE: the whole decision about a plugin, every place and every gate.
#include "cli/command_plugin.hpp"
#include "cli/inputs.hpp"
#include "cli/session.hpp"
#include "plugin/decision.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/host_library.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

namespace fs = std::filesystem;

/// One file and the decision about it.
struct Decision {
    const plugin::CatalogEntry* entry = nullptr;
    std::vector<plugin::GateReport> gates;

    /// The gate that stopped it, or null.
    [[nodiscard]] const plugin::GateReport* stop() const {
        for (const plugin::GateReport& gate : gates) {
            if (gate.outcome == plugin::GateOutcome::Refused) {
                return &gate;
            }
        }
        return nullptr;
    }
};

const char* outcome_name(plugin::GateOutcome outcome) {
    switch (outcome) {
        case plugin::GateOutcome::Passed:
            return "passed";
        case plugin::GateOutcome::Refused:
            return "refused";
        case plugin::GateOutcome::NotReached:
            break;
    }
    return "not reached";
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

std::string text_of(const plugin::GateReport& gate) {
    std::string text =
        "  " + padded(gate.gate, 12) + padded(outcome_name(gate.outcome), 13) + gate.found + "\n";
    if (gate.outcome != plugin::GateOutcome::Refused) {
        return text;
    }
    const std::string indent(27, ' ');
    const auto add = [&](const char* name, const std::string& value) {
        text += value.empty() ? "" : indent + name + ": " + value + "\n";
    };
    add("expected", gate.expected);
    add("rule", gate.rule);
    add("code", gate.code);
    add("what to do", gate.hint);
    return text;
}

std::string verdict_of(const Decision& decision) {
    const plugin::GateReport* stop = decision.stop();
    return stop == nullptr ? "used"
                           : std::string("not used: stopped by the gate '") + stop->gate + "'";
}

std::string text_of(const Decision& decision) {
    const plugin::CatalogEntry& entry = *decision.entry;
    std::string text = "\n" + entry.path.string() + "\n";
    for (const plugin::GateReport& gate : decision.gates) {
        text += text_of(gate);
    }
    return text + "  verdict: " + verdict_of(decision) + "\n";
}

std::string state_of(const plugin::SearchPath& place, const plugin::Catalog& catalog) {
    std::error_code error;
    if (!fs::exists(place.path, error)) {
        return "not there";
    }
    for (const Diagnostic& diagnostic : catalog.diagnostics) {
        if (diagnostic.location.file == place.path.string()) {
            return "ignored: " + diagnostic.code;
        }
    }
    std::size_t files = 0;
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        const bool is_inside = entry.path == place.path || entry.path.parent_path() == place.path ||
                               fs::path(entry.path.parent_path().string() + "/") == place.path;
        files += is_inside ? 1 : 0;
    }
    return files == 1 ? "1 library" : std::to_string(files) + " libraries";
}

Json to_json(const plugin::GateReport& gate) {
    Json json;
    json["gate"] = gate.gate;
    json["question"] = gate.question;
    json["outcome"] = outcome_name(gate.outcome);
    json["code"] = gate.code;
    json["found"] = gate.found;
    json["expected"] = gate.expected;
    json["rule"] = gate.rule;
    json["hint"] = gate.hint;
    return json;
}

Json to_json(const Decision& decision) {
    Json json;
    json["path"] = decision.entry->path.string();
    json["where_from"] = decision.entry->where_from;
    json["id"] = decision.entry->metadata ? decision.entry->metadata->id : "";
    json["used"] = decision.stop() == nullptr;
    json["verdict"] = verdict_of(decision);
    json["gates"] = Json::array();
    for (const plugin::GateReport& gate : decision.gates) {
        json["gates"].push_back(to_json(gate));
    }
    return json;
}

/// Probes what would be used; the others are not opened.
Decision decide(const plugin::CatalogEntry& entry, const plugin::SearchPaths& places) {
    std::optional<plugin::ProbeVerdict> probe;
    if (entry.is_active() && plugin::probe_settings()) {
        probe = plugin::probe_library(entry.path, *plugin::probe_settings());
    }
    return {&entry, plugin::explain_decision(entry, places, plugin::host_fingerprint(), probe)};
}

Error unknown_plugin(const plugin::Catalog& catalog, const std::string& name) {
    const auto close = plugin::nearest_id(catalog, name);
    return {"plugin/unknown",
            "no file with the plugin or technique id '" + name + "' was found",
            "",
            close ? "did you mean '" + *close + "'?"
                  : std::string("see `topress plugin list` for what was found")};
}

std::string summary_of(const std::vector<Decision>& decisions) {
    for (const Decision& decision : decisions) {
        if (decision.stop() == nullptr) {
            return "used: " + decision.entry->path.string();
        }
    }
    return "not used: no file passes every gate";
}

std::string places_text(const plugin::SearchPaths& places, const plugin::Catalog& catalog) {
    std::string text = "searched, first place first:\n";
    for (const plugin::SearchPath& place : places.places) {
        text += "  " + place.path.string() + " (" + place.where_from +
                "): " + state_of(place, catalog) + "\n";
    }
    return text;
}

/// A file outside of the plugin folders is looked at last: it shadows nothing.
bool is_file_name(const std::string& name) {
    std::error_code error;
    return name.find('/') != std::string::npos || fs::is_regular_file(name, error);
}

Outcome explain(const std::string& name, const std::vector<std::string>& paths) {
    plugin::SearchPaths places = plugin::standard_search_paths({paths.begin(), paths.end()}, {});
    if (is_file_name(name)) {
        places.places.push_back({fs::absolute(name).lexically_normal(), "named", true});
    }
    const plugin::Catalog catalog = plugin::find_plugins(places, plugin::host_fingerprint());
    std::vector<Decision> decisions;
    for (const plugin::CatalogEntry* entry : plugin::find_entries(catalog, name)) {
        decisions.push_back(decide(*entry, places));
    }
    if (decisions.empty()) {
        throw unknown_plugin(catalog, name);
    }
    Outcome outcome;
    outcome.diagnostics = catalog.diagnostics;
    outcome.document = pipeline::document_head("plugin why", catalog.diagnostics);
    outcome.document["name"] = name;
    outcome.document["searched"] = Json::array();
    for (const plugin::SearchPath& place : places.places) {
        outcome.document["searched"].push_back({{"path", place.path.string()},
                                                {"where_from", place.where_from},
                                                {"state", state_of(place, catalog)}});
    }
    outcome.document["verdict"] = summary_of(decisions);
    outcome.document["files"] = Json::array();
    outcome.text = places_text(places, catalog);
    for (const Decision& decision : decisions) {
        outcome.document["files"].push_back(to_json(decision));
        outcome.text += text_of(decision);
    }
    outcome.text += "\n" + name + ": " + summary_of(decisions) + "\n";
    return outcome;
}

}  // namespace

void add_plugin_why_command(CLI::App& group, Session& session) {
    auto paths = std::make_shared<std::vector<std::string>>();
    auto name = std::make_shared<std::string>();
    CLI::App* why = group.add_subcommand("why", "why a plugin is used, or why not");
    why->add_option("ID|FILE", *name, "plugin id, technique id or file")->required();
    add_plugin_path_option(*why, *paths);
    why->footer("Example: topress plugin why org.example.scaling");
    why->callback([&session, paths, name] {
        session.command = "plugin why";
        session.action = [paths, name] { return explain(*name, *paths); };
    });
}

}  // namespace topress::cli
