// plugin.toml -> PluginMetadata: walks the located tree, collects every mistake as
// plugin/bad-metadata.
#include "plugin/metadata.hpp"

#include "plugin/metadata_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <tuple>
#include <utility>

namespace topress::plugin {

namespace {

using config::Tree;

constexpr const char* kBadMetadata = "plugin/bad-metadata";
constexpr const char* kReferences =
    "name a technique id, \"capability:x\", \"kind:x\" or \"granularity:x\"";

class Reader {
  public:
    explicit Reader(Mistakes& mistakes) : mistakes_(mistakes) {}

    PluginMetadata read(const Tree& tree);

  private:
    PluginMetadata read_plugin(const Tree& tree);
    TechniqueMetadata read_technique(const Tree& tree);
    void read_names(const Keys& keys, const Tree& tree, TechniqueMetadata& technique);
    void check_names(const Keys& keys, const Tree& tree, const TechniqueMetadata& technique);
    void read_rows(const Tree& tree, TechniqueMetadata& technique);
    void read_needs(const Tree& tree, Needs& needs);
    MetadataRelation read_relation(const Tree& row);
    void read_when(const Tree& row, TechniqueMetadata& technique);

    Mistakes& mistakes_;
};

PluginMetadata Reader::read(const Tree& tree) {
    mistakes_.check_tables(tree.tables, {"plugin"}, "plugin.toml");
    mistakes_.check_tables(tree.rows, {"technique"}, "plugin.toml");
    const Location top{mistakes_.file(), 1, 1, 0};
    Tree head = tree;
    head.location = top;
    const auto keys = mistakes_.read_keys(head, document_keys(), "plugin.toml");
    if (keys && keys->get<std::int64_t>("schema") != kMetadataSchema) {
        mistakes_.add(
            "schema '" + std::to_string(keys->get<std::int64_t>("schema")) + "' is not known here",
            keys->where("schema", top),
            "this topress reads schema " + std::to_string(kMetadataSchema));
        return {};  // another schema has other keys
    }
    PluginMetadata plugin;
    if (const Tree* table = config::find_table(tree, "plugin")) {
        plugin = read_plugin(*table);
    } else {
        mistakes_.add(
            "the table [plugin] is missing", top, "add it, with id, version, license and summary");
    }
    std::set<std::string> ids;
    for (const Tree& row : tree.rows) {
        TechniqueMetadata technique = read_technique(row);
        if (!technique.id.empty() && !ids.insert(technique.id).second) {
            mistakes_.add("the technique '" + technique.id + "' is declared twice",
                          row.location,
                          "give each technique its own id");
        }
        plugin.techniques.push_back(std::move(technique));
    }
    if (tree.rows.empty()) {
        mistakes_.add("the plugin declares no technique", top, "add a [[technique]]");
    }
    return plugin;
}

PluginMetadata Reader::read_plugin(const Tree& tree) {
    mistakes_.check_tables(tree.tables, {}, "[plugin]");
    mistakes_.check_tables(tree.rows, {}, "[plugin]");
    const auto keys = mistakes_.read_keys(tree, plugin_keys(), "[plugin]");
    if (!keys) {
        return {};
    }
    PluginMetadata plugin;
    plugin.id = keys->text("id");
    plugin.name = keys->text("name");
    plugin.version = keys->text("version");
    plugin.license = keys->text("license");
    plugin.summary = keys->text("summary");
    plugin.torch_namespaces = keys->names("torch_namespaces");
    mistakes_.check_each(plugin.torch_namespaces,
                         keys->where("torch_namespaces", tree.location),
                         is_torch_namespace,
                         "a C++ identifier",
                         "write what stands in TORCH_LIBRARY(name, ...)");
    if (!is_identifier(plugin.id, 2)) {
        mistakes_.add("'" + plugin.id + "' is not a plugin id",
                      keys->where("id", tree.location),
                      "use reverse DNS in lower case, such as \"org.example.scaling\"");
    }
    if (plugin.name.empty()) {
        plugin.name = plugin.id.substr(plugin.id.rfind('.') + 1);
    }
    return plugin;
}

TechniqueMetadata Reader::read_technique(const Tree& tree) {
    TechniqueMetadata technique;
    technique.where = tree.location;
    technique.where.file = mistakes_.file();
    mistakes_.check_tables(tree.tables, {"effect", "needs", "parameters"}, "[[technique]]");
    mistakes_.check_tables(tree.rows, {"before", "after", "when"}, "[[technique]]");
    if (const auto keys = mistakes_.read_keys(tree, technique_keys(), "[[technique]]")) {
        read_names(*keys, tree, technique);
    }
    if (const Tree* needs = config::find_table(tree, "needs")) {
        read_needs(*needs, technique.needs);
    }
    if (const Tree* parameters = config::find_table(tree, "parameters")) {
        technique.parameters = read_parameters(*parameters, mistakes_);
    }
    if (const Tree* effect = config::find_table(tree, "effect")) {
        technique.effect = read_effect(*effect, technique.parameters, mistakes_);
    }
    read_rows(tree, technique);
    return technique;
}

// Requires: the parameters are read, conditions are about them.
void Reader::read_rows(const Tree& tree, TechniqueMetadata& technique) {
    for (const Tree& row : tree.rows) {
        if (row.name == "before") {
            technique.before.push_back(read_relation(row));
        } else if (row.name == "after") {
            technique.after.push_back(read_relation(row));
        } else if (row.name == "when") {
            read_when(row, technique);
        }
    }
}

void Reader::read_names(const Keys& keys, const Tree& tree, TechniqueMetadata& technique) {
    technique.id = keys.text("id");
    technique.summary = keys.text("summary");
    technique.kind = keys.text("kind");
    technique.granularity = keys.text("granularity");
    technique.rank = static_cast<int>(
        std::clamp<std::int64_t>(keys.get<std::int64_t>("rank"), -1'000'000, 1'000'000));
    technique.determinism = keys.text("determinism");
    technique.reads = keys.names("reads");
    technique.writes = keys.names("writes");
    technique.requires_ = keys.names("requires");
    technique.conflicts = keys.names("conflicts");
    technique.provides = keys.names("provides");
    technique.replaces = keys.names("replaces");
    technique.recalibrates = keys.get<bool>("recalibrates");
    technique.isolation = keys.has("isolation") ? keys.text("isolation") : "";
    check_names(keys, tree, technique);
}

void Reader::check_names(const Keys& keys, const Tree& tree, const TechniqueMetadata& technique) {
    const auto at = [&](const char* key) { return keys.where(key, tree.location); };
    if (!is_identifier(technique.id, 1)) {
        mistakes_.add("'" + technique.id + "' is not a technique id",
                      at("id"),
                      "use lower case with dots, such as \"example.scale\"");
    }
    mistakes_.check_resources(technique.reads, at("reads"));
    mistakes_.check_resources(technique.writes, at("writes"));
    mistakes_.check_each(
        technique.requires_, at("requires"), is_reference, "a reference", kReferences);
    mistakes_.check_each(
        technique.conflicts, at("conflicts"), is_reference, "a reference", kReferences);
    mistakes_.check_each(
        technique.provides,
        at("provides"),
        [](const std::string& name) { return is_identifier(name, 1); },
        "the name of a capability",
        "use lower case, without the prefix \"capability:\"");
    mistakes_.check_each(
        technique.replaces,
        at("replaces"),
        [](const std::string& name) { return is_identifier(name, 1); },
        "a technique id",
        "name a technique, such as \"example.scale\"");
    if (std::ranges::count(technique.replaces, technique.id) != 0) {
        mistakes_.add("'" + technique.id + "' cannot replace itself",
                      at("replaces"),
                      "name another technique, or remove it");
    }
}

void Reader::read_needs(const Tree& tree, Needs& needs) {
    mistakes_.check_tables(tree.tables, {}, "needs");
    if (const auto keys = mistakes_.read_keys(tree, needs_keys(), "needs")) {
        needs.training_data = keys->get<bool>("training_data");
        needs.labels = keys->get<bool>("labels");
        needs.teacher = keys->get<bool>("teacher");
        const std::string cuda = keys->text("cuda");
        needs.cuda = cuda == "required"   ? Need::Required
                     : cuda == "optional" ? Need::Optional
                                          : Need::None;
    }
}

MetadataRelation Reader::read_relation(const Tree& row) {
    MetadataRelation relation;
    relation.where = row.location;
    relation.where.file = mistakes_.file();
    if (const auto keys =
            mistakes_.read_keys(row, relation_keys(), "[[technique." + row.name + "]]")) {
        relation.target = keys->text("target");
        relation.is_hard = keys->text("strength") == "hard";
        relation.reason = keys->text("reason");
        relation.source = keys->text("source");
        mistakes_.check_each({relation.target},
                             keys->where("target", row.location),
                             is_reference,
                             "a reference",
                             kReferences);
    }
    return relation;
}

void Reader::read_when(const Tree& row, TechniqueMetadata& technique) {
    const std::string owner = "[[technique.when]]";
    ConditionalUse use;
    use.where = row.location;
    use.where.file = mistakes_.file();
    Tree resources = row;
    Tree condition = row;
    condition.values.clear();
    for (const char* key : {"parameter", "is", "is_not"}) {
        if (auto node = resources.values.extract(key)) {
            condition.values.insert(std::move(node));
        }
    }
    auto when = read_condition(condition, technique.parameters, owner, mistakes_);
    const auto keys = mistakes_.read_keys(resources, when_keys(), owner);
    if (!keys || !when) {
        return;
    }
    use.when = std::move(*when);
    use.reads = keys->names("reads");
    use.writes = keys->names("writes");
    mistakes_.check_resources(use.reads, keys->where("reads", row.location));
    mistakes_.check_resources(use.writes, keys->where("writes", row.location));
    if (use.reads.empty() && use.writes.empty()) {
        mistakes_.add(owner + " says nothing", row.location, "add reads or writes, or remove it");
    }
    for (const std::string& name : use.writes) {
        if (std::ranges::count(technique.writes, name) != 0) {
            mistakes_.add("'" + name + "' is written always, so that the condition has no effect",
                          keys->where("writes", row.location),
                          "remove it here, or from the writes of the technique");
        }
    }
    technique.conditional.push_back(std::move(use));
}

}  // namespace

ResourceUse resource_use(const TechniqueMetadata& technique, const config::Parameters& parameters) {
    ResourceUse use{technique.reads, technique.writes};
    const auto add = [](std::vector<std::string>& names, const std::vector<std::string>& more) {
        for (const std::string& name : more) {
            if (std::ranges::count(names, name) == 0) {
                names.push_back(name);
            }
        }
    };
    for (const ConditionalUse& conditional : technique.conditional) {
        if (config::holds(conditional.when, parameters)) {
            add(use.reads, conditional.reads);
            add(use.writes, conditional.writes);
        }
    }
    return use;
}

std::optional<PluginMetadata> parse_metadata(std::string_view text,
                                             const std::string& file,
                                             Diagnostics& diagnostics) {
    Diagnostics found;
    const Tree tree = config::read_tree(text, file, found);
    for (Diagnostic& diagnostic : found) {
        diagnostic.code = kBadMetadata;
    }
    if (!has_errors(found)) {
        Mistakes mistakes(file, found);
        PluginMetadata plugin = Reader(mistakes).read(tree);
        if (!has_errors(found)) {
            return plugin;
        }
    }
    std::ranges::stable_sort(found, [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.location.line, a.location.column) <
               std::tie(b.location.line, b.location.column);
    });
    diagnostics.insert(diagnostics.end(),
                       std::make_move_iterator(found.begin()),
                       std::make_move_iterator(found.end()));
    return std::nullopt;
}

}  // namespace topress::plugin
