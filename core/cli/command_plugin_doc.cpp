// topress plugin doc: the page of a plugin or of one technique, from its metadata.
#include "base/suggest.hpp"
#include "cli/command_plugin.hpp"
#include "cli/inputs.hpp"
#include "cli/session.hpp"
#include "plugin/catalog.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/metadata_json.hpp"
#include "plugin/metadata_page.hpp"

#include <CLI/CLI.hpp>

namespace topress::cli {
namespace {

struct DocInputs {
    std::string id;
    bool markdown = false;
    std::vector<std::string> plugin_paths;
};

/// What an id means: a plugin, or a plugin and one of its techniques.
struct Subject {
    const plugin::CatalogEntry* plugin = nullptr;
    std::string technique;
};

Diagnostic unknown_id(const plugin::Catalog& catalog, const std::string& id) {
    std::vector<std::string> names = catalog.technique_ids();
    for (const plugin::CatalogEntry& entry : catalog.entries) {
        if (entry.metadata) {
            names.push_back(entry.metadata->id);
        }
    }
    Diagnostic diagnostic;
    diagnostic.code = "plugin/unknown-id";
    diagnostic.message = "no plugin and no technique is called '" + id + "'";
    const auto best = nearest(id, names);
    diagnostic.hint = best ? "did you mean '" + *best + "'?" : "see `topress plugin list`";
    return diagnostic;
}

/// A refused plugin has a page too, as long as its metadata can be read.
Subject find_subject(const plugin::Catalog& catalog, const std::string& id) {
    if (const auto found = catalog.find_technique(id)) {
        return {found->plugin, id};
    }
    const plugin::CatalogEntry* entry = catalog.find_plugin(id);
    if (entry == nullptr || !entry->metadata) {
        throw DiagnosticError({unknown_id(catalog, id)});
    }
    return {entry, ""};
}

Json document_of(const Subject& subject, const Diagnostics& diagnostics) {
    Json document = pipeline::document_head("plugin doc", diagnostics);
    document["path"] = subject.plugin->path.string();
    document["where_from"] = subject.plugin->where_from;
    document["technique"] = subject.technique;
    Json json = plugin::to_json(*subject.plugin->metadata);
    if (!subject.technique.empty()) {
        Json& techniques = json.at("techniques");
        std::erase_if(techniques.get_ref<Json::array_t&>(), [&](const Json& technique) {
            return technique.at("id") != subject.technique;
        });
    }
    document["plugin"] = std::move(json);
    return document;
}

Outcome document_plugin(const DocInputs& inputs, int width) {
    const plugin::SearchPaths places =
        plugin::standard_search_paths({inputs.plugin_paths.begin(), inputs.plugin_paths.end()}, {});
    const plugin::Catalog catalog = plugin::find_plugins(places, plugin::host_fingerprint());
    const Subject subject = find_subject(catalog, inputs.id);
    const plugin::PluginMetadata& metadata = *subject.plugin->metadata;
    Outcome outcome;
    outcome.diagnostics = catalog.diagnostics;
    outcome.document = document_of(subject, catalog.diagnostics);
    outcome.text = inputs.markdown ? plugin::to_markdown(metadata, subject.technique)
                                   : plugin::to_plain_text(metadata, subject.technique, width);
    return outcome;
}

}  // namespace

void add_plugin_doc_command(CLI::App& group, Session& session) {
    auto inputs = std::make_shared<DocInputs>();
    CLI::App* command = group.add_subcommand("doc", "the page of a plugin or technique");
    command->footer(
        "Examples:\n"
        "  topress plugin doc pruning.channel\n"
        "  topress plugin doc org.topress.pruning --markdown > pruning.md");
    command->add_option("ID", inputs->id, "plugin id or technique id")->required();
    command->add_flag("--markdown", inputs->markdown, "as Markdown");
    add_plugin_path_option(*command, inputs->plugin_paths);
    command->callback([&session, inputs] {
        session.command = "plugin doc";
        session.action = [&session, inputs] {
            return document_plugin(*inputs, session.terminal.width);
        };
    });
}

}  // namespace topress::cli
