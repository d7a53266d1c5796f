// topress plugin list: every plugin that was found, its techniques, and why one is refused.
#include "cli/command_plugin.hpp"
#include "cli/inputs.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "plugin/catalog.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/host_library.hpp"
#include "plugin/metadata_json.hpp"
#include "plugin/probe_cache.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace topress::cli {
namespace {

/// What is known of probes, without opening or reading a library.
using Verdicts = std::map<std::filesystem::path, plugin::ProbeVerdict>;

Verdicts known_verdicts(const plugin::Catalog& catalog) {
    Verdicts verdicts;
    if (!plugin::probe_settings()) {
        return verdicts;
    }
    const plugin::ProbeCache cache(plugin::probe_settings()->cache,
                                   plugin::probe_settings()->build);
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        if (auto verdict = cache.find_known(entry.path)) {
            verdicts.emplace(entry.path, std::move(*verdict));
        }
    }
    return verdicts;
}

std::string probe_text(const plugin::CatalogEntry& entry, const Verdicts& verdicts) {
    const auto found = verdicts.find(entry.path);
    if (found == verdicts.end()) {
        return "not yet";
    }
    return found->second.refusal ? found->second.refusal->code : "passed";
}

Json to_json(const plugin::CatalogEntry& entry, const Verdicts& verdicts) {
    Json json;
    json["id"] = entry.metadata ? entry.metadata->id : "";
    json["version"] = entry.metadata ? entry.metadata->version : "";
    json["license"] = entry.metadata ? entry.metadata->license : "";
    json["summary"] = entry.metadata ? entry.metadata->summary : "";
    json["path"] = entry.path.string();
    json["where_from"] = entry.where_from;
    json["verdict"] = entry.verdict == plugin::Verdict::Loadable ? "loadable" : "refused";
    if (entry.verdict == plugin::Verdict::Refused) {
        json["refusal"] = pipeline::to_json(entry.refusal);
    }
    json["bundled"] = entry.is_bundled();
    json["probe"] = probe_text(entry, verdicts);
    json["shadowed_by"] = entry.shadowed_by.string();
    json["techniques"] = Json::array();
    if (entry.metadata) {
        for (const plugin::TechniqueMetadata& technique : entry.metadata->techniques) {
            json["techniques"].push_back(plugin::to_json(technique));
        }
    }
    return json;
}

std::string techniques_text(const plugin::Catalog& catalog) {
    std::vector<std::vector<std::string>> lines;
    for (const plugin::TechniqueReference& found : catalog.techniques()) {
        const plugin::TechniqueMetadata& technique = *found.technique;
        lines.push_back({technique.id,
                         technique.kind + ", " + technique.granularity,
                         found.plugin->metadata->id + " " + found.plugin->metadata->version,
                         technique.summary});
    }
    return lines.empty() ? "no techniques were found\n"
                         : render_table({"technique", "kind", "plugin", "summary"}, lines, 4);
}

std::string plugins_text(const plugin::Catalog& catalog, const Verdicts& verdicts) {
    std::vector<std::vector<std::string>> lines;
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        if (entry.is_active()) {
            lines.push_back({entry.metadata->id,
                             entry.metadata->version,
                             entry.where_from,
                             probe_text(entry, verdicts),
                             entry.path.string()});
        }
    }
    return lines.empty()
               ? std::string()
               : "\n" + render_table({"plugin", "version", "from", "probe", "file"}, lines, 5);
}

std::string parameters_text(const plugin::Catalog& catalog) {
    std::string text;
    for (const plugin::TechniqueReference& found : catalog.techniques()) {
        text += "\n" + found.technique->id + "  (" + found.plugin->path.string() + ")\n";
        for (const config::ParameterSpec& spec : found.technique->parameters) {
            const std::string value =
                spec.default_value ? config::to_toml(*spec.default_value) : "must be given";
            text += "  " + spec.name + " = " + value + (spec.unit.empty() ? "" : " " + spec.unit) +
                    "  " + spec.doc + "\n";
        }
    }
    return text;
}

std::string name_of(const plugin::CatalogEntry& entry) {
    return entry.metadata ? entry.metadata->id + " " + entry.metadata->version + ", " : "";
}

std::string unused_text(const plugin::Catalog& catalog) {
    std::string text;
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        const std::string file =
            name_of(entry) + entry.path.string() + " (" + entry.where_from + ")\n";
        if (entry.verdict == plugin::Verdict::Refused) {
            text += "\nrefused: " + file + "  " + entry.refusal.message + " [" +
                    entry.refusal.code + "]\n";
            for (const DiagnosticNote& note : entry.refusal.notes) {
                text += "  " + note.message + "\n";
            }
            text += entry.refusal.hint.empty() ? "" : "  hint: " + entry.refusal.hint + "\n";
        } else if (!entry.shadowed_by.empty()) {
            text += "\nnot used: " + file + "  " + entry.shadowed_by.string() +
                    " has the same id and was found first\n";
        }
    }
    return text;
}

Outcome list_plugins(const std::vector<std::string>& paths, bool verbose) {
    const plugin::SearchPaths places =
        plugin::standard_search_paths({paths.begin(), paths.end()}, {});
    const plugin::Catalog catalog = plugin::find_plugins(places, plugin::host_fingerprint());
    const Verdicts verdicts = known_verdicts(catalog);
    Outcome outcome;
    outcome.diagnostics = catalog.diagnostics;
    outcome.document = pipeline::document_head("plugin list", catalog.diagnostics);
    outcome.document["searched"] = Json::array();
    for (const plugin::SearchPath& place : places.places) {
        outcome.document["searched"].push_back(
            {{"path", place.path.string()}, {"where_from", place.where_from}});
    }
    outcome.document["plugins"] = Json::array();
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        outcome.document["plugins"].push_back(to_json(entry, verdicts));
    }
    outcome.text = techniques_text(catalog) + plugins_text(catalog, verdicts) +
                   (verbose ? parameters_text(catalog) : "") + unused_text(catalog);
    return outcome;
}

}  // namespace

void add_plugin_list_command(CLI::App& group, Session& session) {
    auto paths = std::make_shared<std::vector<std::string>>();
    CLI::App* list = group.add_subcommand("list", "plugins, their techniques, refused files");
    add_plugin_path_option(*list, *paths);
    list->footer("Example: topress plugin list -v     (with parameters)");
    list->callback([&session, paths] {
        session.command = "plugin list";
        session.action = [&session, paths] { return list_plugins(*paths, session.verbose > 0); };
    });
}

}  // namespace topress::cli
