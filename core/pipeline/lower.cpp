// Lowering: the one place where configuration, plugins and ordering meet.
#include "pipeline/lower.hpp"

#include "config/load.hpp"
#include "config/resolve.hpp"
#include "pipeline/baseline.hpp"
#include "pipeline/foresee.hpp"
#include "pipeline/isolation.hpp"
#include "pipeline/parameter_files.hpp"
#include "pipeline/rule_files.hpp"
#include "plugin/host_fingerprint.hpp"
#include "zoo/zoo.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace topress::pipeline {
namespace {

void append(Diagnostics& to, const Diagnostics& from) {
    to.insert(to.end(), from.begin(), from.end());
}

order::Provenance provenance_of(const Location& where) {
    return {order::Origin::UserConfig, "configuration", where.file, where.line, where.column};
}

order::Relation to_relation(const std::string& plugin_id,
                            const plugin::MetadataRelation& relation) {
    order::Relation result;
    result.target = relation.target;
    result.strength = relation.is_hard ? order::Strength::Hard : order::Strength::Soft;
    result.reason = relation.reason;
    result.source = relation.source;
    result.where = {order::Origin::Plugin,
                    plugin_id,
                    relation.where.file,
                    relation.where.line,
                    relation.where.column};
    return result;
}

std::vector<order::Relation> to_relations(const std::string& plugin_id,
                                          const std::vector<plugin::MetadataRelation>& relations) {
    std::vector<order::Relation> result;
    for (const plugin::MetadataRelation& relation : relations) {
        result.push_back(to_relation(plugin_id, relation));
    }
    return result;
}

/// A refused plugin explains why a technique is missing: its refusal is added as a note.
Diagnostic unresolved(const config::TechniqueEntry& entry, const plugin::Catalog& catalog) {
    const std::vector<std::string> ids = catalog.technique_ids();
    Diagnostic diagnostic = config::explain_unresolved(entry.use, ids, entry.use_location);
    for (const plugin::CatalogEntry& plugin : catalog.entries) {
        if (plugin.verdict == plugin::Verdict::Refused) {
            diagnostic.notes.push_back(
                {"refused plugin: " + plugin.refusal.message + " [" + plugin.refusal.code + "]",
                 {plugin.path.string(), 0, 0, 0}});
        }
    }
    for (const plugin::TechniqueReference& known : catalog.techniques()) {
        if (std::ranges::count(known.technique->replaces, entry.use) != 0) {
            diagnostic.hint = "'" + known.technique->id + "' replaces it: write use = \"" +
                              known.technique->id + "\"";
        }
    }
    if (ids.empty()) {
        diagnostic.hint = "no plugin was found: see `topress plugin list`";
    }
    return diagnostic;
}

/// The stage of one entry in the configuration, or nothing with the mistakes added.
std::optional<PlannedStage> lower_technique(const config::TechniqueEntry& entry,
                                            const plugin::Catalog& catalog,
                                            Diagnostics& diagnostics) {
    const auto id = config::resolve_technique(entry.use, catalog.technique_ids());
    if (!id) {
        diagnostics.push_back(unresolved(entry, catalog));
        return std::nullopt;
    }
    const plugin::TechniqueReference found = *catalog.find_technique(*id);
    const auto& specs = found.technique->parameters;
    const Diagnostics mistakes = config::validate_parameters(
        entry.parameters, specs, "[technique." + entry.label + "]", entry.location);
    append(diagnostics, mistakes);
    if (has_errors(mistakes)) {
        return std::nullopt;
    }
    config::Parameters parameters = config::fill_defaults(entry.parameters, specs);
    resolve_files(parameters, specs, diagnostics);
    return PlannedStage{entry.label,
                        *found.plugin,
                        *found.technique,
                        std::move(parameters),
                        choose_isolation(entry.isolation, *found.plugin, *found.technique)};
}

std::vector<order::TechniqueInfo> known_techniques(const plugin::Catalog& catalog) {
    std::vector<order::TechniqueInfo> known;
    for (const plugin::TechniqueReference& technique : catalog.techniques()) {
        known.push_back(to_technique_info(*technique.plugin, *technique.technique));
    }
    return known;
}

std::vector<order::DeclaredEdge> user_edges(const config::OrderConfig& config) {
    std::vector<order::DeclaredEdge> edges;
    for (const config::UserEdge& edge : config.edges) {
        const auto strength =
            edge.strength == "hard" ? order::Strength::Hard : order::Strength::Soft;
        edges.push_back(
            {edge.before, edge.after, strength, edge.reason, "", provenance_of(edge.location)});
    }
    return edges;
}

/// The techniques a reader of the configuration selected, as the ordering sees them.
std::vector<order::Instance> instances(const config::RunConfig& config,
                                       const std::map<std::string, PlannedStage>& stages) {
    std::vector<order::Instance> selected;
    for (const config::TechniqueEntry& entry : config.techniques) {
        order::Instance instance;
        instance.label = entry.label;
        instance.where = provenance_of(entry.location);
        instance.intensity = entry.intensity;
        const PlannedStage& stage = stages.at(entry.label);
        instance.technique = stage.technique.id;
        plugin::ResourceUse use = plugin::resource_use(stage.technique, stage.parameters);
        instance.reads = std::move(use.reads);
        instance.writes = std::move(use.writes);
        selected.push_back(std::move(instance));
    }
    return selected;
}

/// The files a key of [order] names.
NamedFiles named_files(const config::RunConfig& config,
                       const std::string& key,
                       const std::vector<std::string>& names) {
    const auto found = config.origins.find("order." + key);
    return {names,
            config.file,
            found == config.origins.end() ? Location{config.file, 0, 0, 0} : found->second};
}

/// Where the run takes place, as evidence names it: "resnet" and "resnet14" on its data set.
order::Scope scope_of(const config::RunConfig& config) {
    order::Scope scope;
    const config::ModelConfig& model = config.model;
    if (!model.architecture.empty()) {
        scope.networks = {model.architecture, model.architecture + std::to_string(depth_of(model))};
    }
    scope.datasets = {config.data.dataset};
    return scope;
}

order::Request make_request(const config::RunConfig& config,
                            const plugin::Catalog& catalog,
                            Diagnostics& diagnostics) {
    order::Request request;
    request.known = known_techniques(catalog);
    request.rules = load_rule_sets(named_files(config, "rules", config.order.rules), diagnostics);
    request.evidence =
        load_evidence_files(named_files(config, "evidence", config.order.evidence), diagnostics);
    request.scope = scope_of(config);
    request.user_edges = user_edges(config.order);
    if (!config.order.force.empty()) {
        request.forced = config.order.force;
    }
    request.override_ = config.order.override_;
    request.strict = config.order.strict;
    return request;
}

/// Warnings found so far are shown beside the errors of the order.
order::Order derive(const order::Request& request, const Diagnostics& so_far) {
    try {
        return order::derive_order(request);
    } catch (const DiagnosticError& error) {
        Diagnostics all = so_far;
        append(all, error.diagnostics());
        throw DiagnosticError(std::move(all));
    }
}

void check_device(const config::RunConfig& config, const PlannedStage& stage, Diagnostics& found) {
    if (stage.technique.needs.cuda == plugin::Need::Required && config.device == "cpu") {
        Diagnostic diagnostic;
        diagnostic.code = "device/required";
        diagnostic.message = "technique '" + stage.technique.id + "' runs on a CUDA device only";
        diagnostic.hint = "run with --device cuda, or leave the technique out";
        found.push_back(std::move(diagnostic));
    }
}

/// As a reader goes through the file: top to bottom.
void sort_by_place(Diagnostics& diagnostics) {
    std::ranges::stable_sort(diagnostics, [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.location.file, a.location.line, a.location.column) <
               std::tie(b.location.file, b.location.line, b.location.column);
    });
}

void throw_on_errors(Diagnostics diagnostics) {
    if (has_errors(diagnostics)) {
        sort_by_place(diagnostics);
        throw DiagnosticError(std::move(diagnostics));
    }
}

}  // namespace

order::TechniqueInfo to_technique_info(const plugin::CatalogEntry& plugin,
                                       const plugin::TechniqueMetadata& technique) {
    const std::string id = plugin.metadata ? plugin.metadata->id : plugin.path.string();
    order::TechniqueInfo info;
    info.id = technique.id;
    info.summary = technique.summary;
    info.kind = technique.kind;
    info.granularity = technique.granularity;
    info.rank = technique.rank;
    info.before = to_relations(id, technique.before);
    info.after = to_relations(id, technique.after);
    info.requires_ = technique.requires_;
    info.conflicts = technique.conflicts;
    info.provides = technique.provides;
    info.reads = technique.reads;
    info.writes = technique.writes;
    info.replaces = technique.replaces;
    info.where = {order::Origin::Plugin,
                  id,
                  technique.where.file,
                  technique.where.line,
                  technique.where.column};
    return info;
}

Plan make_plan(const config::RunConfig& config,
               const plugin::Catalog& catalog,
               const Diagnostics& known) {
    Plan plan;
    plan.config = config;
    plan.diagnostics = known;
    append(plan.diagnostics, catalog.diagnostics);
    std::map<std::string, PlannedStage> stages;
    for (const config::TechniqueEntry& entry : config.techniques) {
        if (auto stage = lower_technique(entry, catalog, plan.diagnostics)) {
            check_device(config, *stage, plan.diagnostics);
            stages.emplace(entry.label, std::move(*stage));
        }
    }
    order::Request request = make_request(config, catalog, plan.diagnostics);
    throw_on_errors(plan.diagnostics);
    request.selected = instances(config, stages);
    plan.order = derive(request, plan.diagnostics);
    append(plan.diagnostics, plan.order.diagnostics);
    for (const std::string& label : plan.order.sequence) {
        plan.stages.push_back(std::move(stages.at(label)));
    }
    plan.removals = order::find_removals(request, plan.order);
    append(plan.diagnostics, foresee(plan));
    return plan;
}

Plan load_plan(const PlanInputs& inputs) {
    config::LoadOptions options;
    options.architectures = zoo::families();
    const config::LoadResult loaded = config::load(inputs.config_file, inputs.overrides, options);
    const std::vector<std::filesystem::path> configured(loaded.config.plugins.path.begin(),
                                                        loaded.config.plugins.path.end());
    const plugin::SearchPaths places =
        plugin::standard_search_paths(inputs.plugin_paths, configured);
    const plugin::Catalog catalog = plugin::find_plugins(places, plugin::host_fingerprint());
    return make_plan(loaded.config, catalog, loaded.diagnostics);
}

}  // namespace topress::pipeline
