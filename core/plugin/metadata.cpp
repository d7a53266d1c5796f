// plugin.toml -> PluginMetadata: walks the located tree, collects every mistake as
// plugin/bad-metadata.
#include "plugin/metadata.hpp"

#include "base/suggest.hpp"
#include "config/tree.hpp"
#include "plugin/metadata_schema.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace topress::plugin {

namespace {

using config::GivenParameter;
using config::Parameters;
using config::ParameterSpec;
using config::ParameterType;
using config::Tree;

constexpr const char* kBadMetadata = "plugin/bad-metadata";

// The validated plain keys of one table, with defaults; typed access that cannot fail.
class Keys {
  public:
    explicit Keys(Parameters values) : values_(std::move(values)) {}

    template <class T>
    [[nodiscard]] T get(const std::string& name) const {
        return std::get<T>(values_.at(name).value);
    }

    [[nodiscard]] std::string text(const std::string& name) const { return get<std::string>(name); }

    [[nodiscard]] std::vector<std::string> names(const std::string& name) const {
        // An empty list has no element that tells its type.
        const auto* list = std::get_if<std::vector<std::string>>(&values_.at(name).value);
        return list == nullptr ? std::vector<std::string>{} : *list;
    }

    [[nodiscard]] std::optional<double> number(const std::string& name) const {
        const auto found = values_.find(name);
        return found == values_.end() ? std::nullopt
                                      : std::optional(std::get<double>(found->second.value));
    }

    [[nodiscard]] Location where(const std::string& name, const Location& otherwise) const {
        const auto found = values_.find(name);
        const bool is_given = found != values_.end() && found->second.where.line != 0;
        return is_given ? found->second.where : otherwise;
    }

  private:
    Parameters values_;
};

class Reader {
  public:
    Reader(std::string file, Diagnostics& diagnostics)
        : file_(std::move(file)), diagnostics_(diagnostics) {}

    PluginMetadata read(const Tree& tree);

  private:
    PluginMetadata read_plugin(const Tree& tree);
    TechniqueMetadata read_technique(const Tree& tree);
    void read_names(const Keys& keys, const Tree& tree, TechniqueMetadata& technique);
    void read_needs(const Tree& tree, Needs& needs);
    MetadataRelation read_relation(const Tree& row);
    std::vector<ParameterSpec> read_parameters(const Tree& tree);
    ParameterSpec read_parameter(const Tree& table);
    void read_default(const Tree& table, const GivenParameter& given, ParameterSpec& spec);
    void check_limits(const Keys& keys, const Tree& table, const ParameterSpec& spec);

    void add(std::string message, Location where, std::string hint);
    void add_as_metadata(Diagnostics found);
    std::optional<Keys> read_keys(const Tree& tree, const Specs& specs, const std::string& owner);
    void check_tables(const std::vector<Tree>& tables,
                      const std::vector<std::string>& known,
                      const std::string& owner);
    void check_each(const std::vector<std::string>& names,
                    const Location& where,
                    bool (*is_right)(const std::string&),
                    const std::string& what,
                    const std::string& hint);

    std::string file_;
    Diagnostics& diagnostics_;
};

void Reader::add(std::string message, Location where, std::string hint) {
    Diagnostic diagnostic;
    diagnostic.code = kBadMetadata;
    diagnostic.message = std::move(message);
    diagnostic.location = std::move(where);
    diagnostic.location.file = file_;
    diagnostic.hint = std::move(hint);
    diagnostics_.push_back(std::move(diagnostic));
}

// What config/ finds is worded for keys and values in general; here it is a mistake of the plugin.
void Reader::add_as_metadata(Diagnostics found) {
    for (Diagnostic& diagnostic : found) {
        diagnostic.code = kBadMetadata;
        diagnostic.location.file = file_;
        diagnostics_.push_back(std::move(diagnostic));
    }
}

std::optional<Keys> Reader::read_keys(const Tree& tree,
                                      const Specs& specs,
                                      const std::string& owner) {
    Diagnostics found = config::validate_parameters(tree.values, specs, owner, tree.location);
    if (has_errors(found)) {
        add_as_metadata(std::move(found));
        return std::nullopt;
    }
    return Keys(config::fill_defaults(tree.values, specs));
}

void Reader::check_tables(const std::vector<Tree>& tables,
                          const std::vector<std::string>& known,
                          const std::string& owner) {
    for (const Tree& table : tables) {
        if (std::find(known.begin(), known.end(), table.name) == known.end()) {
            const auto best = nearest(table.name, known);
            add("unknown table '" + table.name + "' in " + owner,
                table.location,
                best ? "did you mean '" + *best + "'?" : "remove it");
        }
    }
}

void Reader::check_each(const std::vector<std::string>& names,
                        const Location& where,
                        bool (*is_right)(const std::string&),
                        const std::string& what,
                        const std::string& hint) {
    for (const std::string& name : names) {
        if (!is_right(name)) {
            add("'" + name + "' is not " + what, where, hint);
        }
    }
}

PluginMetadata Reader::read(const Tree& tree) {
    check_tables(tree.tables, {"plugin"}, "plugin.toml");
    check_tables(tree.rows, {"technique"}, "plugin.toml");
    const Location top{file_, 1, 1, 0};
    Tree head = tree;
    head.location = top;
    const auto keys = read_keys(head, document_keys(), "plugin.toml");
    if (keys && keys->get<std::int64_t>("schema") != kMetadataSchema) {
        add("schema '" + std::to_string(keys->get<std::int64_t>("schema")) + "' is not known here",
            keys->where("schema", top),
            "this topress reads schema " + std::to_string(kMetadataSchema));
        return {};  // another schema has other keys
    }
    PluginMetadata plugin;
    if (const Tree* table = config::find_table(tree, "plugin")) {
        plugin = read_plugin(*table);
    } else {
        add("the table [plugin] is missing", top, "add it, with id, version, license and summary");
    }
    std::set<std::string> ids;
    for (const Tree& row : tree.rows) {
        TechniqueMetadata technique = read_technique(row);
        if (!technique.id.empty() && !ids.insert(technique.id).second) {
            add("the technique '" + technique.id + "' is declared twice",
                row.location,
                "give each technique its own id");
        }
        plugin.techniques.push_back(std::move(technique));
    }
    if (tree.rows.empty()) {
        add("the plugin declares no technique", top, "add a [[technique]]");
    }
    return plugin;
}

PluginMetadata Reader::read_plugin(const Tree& tree) {
    check_tables(tree.tables, {}, "[plugin]");
    check_tables(tree.rows, {}, "[plugin]");
    const auto keys = read_keys(tree, plugin_keys(), "[plugin]");
    if (!keys) {
        return {};
    }
    PluginMetadata plugin;
    plugin.id = keys->text("id");
    plugin.name = keys->text("name");
    plugin.version = keys->text("version");
    plugin.license = keys->text("license");
    plugin.summary = keys->text("summary");
    if (!is_identifier(plugin.id, 2)) {
        add("'" + plugin.id + "' is not a plugin id",
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
    technique.where.file = file_;
    check_tables(tree.tables, {"needs", "parameters"}, "[[technique]]");
    check_tables(tree.rows, {"before", "after"}, "[[technique]]");
    if (const auto keys = read_keys(tree, technique_keys(), "[[technique]]")) {
        read_names(*keys, tree, technique);
    }
    if (const Tree* needs = config::find_table(tree, "needs")) {
        read_needs(*needs, technique.needs);
    }
    for (const Tree& row : tree.rows) {
        auto& relations = row.name == "before" ? technique.before : technique.after;
        relations.push_back(read_relation(row));
    }
    if (const Tree* parameters = config::find_table(tree, "parameters")) {
        technique.parameters = read_parameters(*parameters);
    }
    return technique;
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
    if (!is_identifier(technique.id, 1)) {
        add("'" + technique.id + "' is not a technique id",
            keys.where("id", tree.location),
            "use lower case with dots, such as \"example.scale\"");
    }
    const auto at = [&](const char* key) { return keys.where(key, tree.location); };
    std::string resources = "use \"x-...\" for your own, or one of";
    for (const std::string& name : known_resources()) {
        resources += " " + name;
    }
    check_each(technique.reads, at("reads"), is_resource, "a resource", resources);
    check_each(technique.writes, at("writes"), is_resource, "a resource", resources);
    const std::string references =
        "name a technique id, \"capability:x\", \"kind:x\" or \"granularity:x\"";
    check_each(technique.requires_, at("requires"), is_reference, "a reference", references);
    check_each(technique.conflicts, at("conflicts"), is_reference, "a reference", references);
}

void Reader::read_needs(const Tree& tree, Needs& needs) {
    check_tables(tree.tables, {}, "needs");
    if (const auto keys = read_keys(tree, needs_keys(), "needs")) {
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
    relation.where.file = file_;
    if (const auto keys = read_keys(row, relation_keys(), "[[technique." + row.name + "]]")) {
        relation.target = keys->text("target");
        relation.is_hard = keys->text("strength") == "hard";
        relation.reason = keys->text("reason");
        relation.source = keys->text("source");
        check_each({relation.target},
                   keys->where("target", row.location),
                   is_reference,
                   "a reference",
                   "name a technique id, \"capability:x\", \"kind:x\" or \"granularity:x\"");
    }
    return relation;
}

std::vector<ParameterSpec> Reader::read_parameters(const Tree& tree) {
    std::vector<ParameterSpec> specs;
    for (const auto& [name, given] : tree.values) {
        add("'" + name + "' must be a table with type, default and doc",
            given.key,
            "write [technique.parameters." + name + "]");
    }
    check_tables(tree.rows, {}, "[technique.parameters]");
    for (const Tree& table : tree.tables) {
        specs.push_back(read_parameter(table));
    }
    return specs;
}

ParameterSpec Reader::read_parameter(const Tree& table) {
    ParameterSpec spec;
    spec.name = table.name;
    Tree plain = table;
    const auto default_node = plain.values.extract("default");
    const std::string owner = "[technique.parameters." + table.name + "]";
    check_tables(table.tables, {}, owner);
    const auto keys = read_keys(plain, parameter_keys(), owner);
    if (!keys) {
        return spec;
    }
    const auto& types = parameter_type_names();
    const auto type = std::find(types.begin(), types.end(), keys->text("type"));
    spec.type = static_cast<ParameterType>(type - types.begin());
    spec.optional = keys->get<bool>("optional");
    spec.minimum = keys->number("minimum");
    spec.maximum = keys->number("maximum");
    spec.values = keys->names("values");
    spec.unit = keys->text("unit");
    spec.doc = keys->text("doc");
    check_limits(*keys, table, spec);
    if (default_node) {
        read_default(table, default_node.mapped(), spec);
    }
    return spec;
}

void Reader::check_limits(const Keys& keys, const Tree& table, const ParameterSpec& spec) {
    const bool is_text =
        spec.type == ParameterType::String || spec.type == ParameterType::StringList;
    const bool is_numeric = !is_text && spec.type != ParameterType::Bool;
    if (!is_numeric && (spec.minimum || spec.maximum)) {
        add("'" + spec.name + "' has limits, but is no number",
            keys.where(spec.minimum ? "minimum" : "maximum", table.location),
            "remove minimum and maximum, or make it a number");
    }
    if (!is_text && !spec.values.empty()) {
        add("'" + spec.name + "' lists accepted strings, but is no string",
            keys.where("values", table.location),
            "remove values, or make it a string");
    }
    if (spec.minimum && spec.maximum && *spec.minimum > *spec.maximum) {
        add("'" + spec.name + "' has a minimum above its maximum",
            keys.where("minimum", table.location),
            "swap them");
    }
}

// The default goes the way a user's value would go: wrong type and out of range are found alike.
void Reader::read_default(const Tree& table, const GivenParameter& given, ParameterSpec& spec) {
    const std::vector<ParameterSpec> specs = {spec};
    const Parameters values = {{spec.name, given}};
    Diagnostics found = config::validate_parameters(
        values, specs, "[technique.parameters] (default)", table.location);
    if (has_errors(found)) {
        add_as_metadata(std::move(found));
        return;
    }
    spec.default_value = config::fill_defaults(values, specs).at(spec.name).value;
}

}  // namespace

std::optional<PluginMetadata> parse_metadata(std::string_view text,
                                             const std::string& file,
                                             Diagnostics& diagnostics) {
    Diagnostics found;
    const Tree tree = config::read_tree(text, file, found);
    for (Diagnostic& diagnostic : found) {
        diagnostic.code = kBadMetadata;
    }
    if (!has_errors(found)) {
        PluginMetadata plugin = Reader(file, found).read(tree);
        if (!has_errors(found)) {
            return plugin;
        }
    }
    diagnostics.insert(diagnostics.end(),
                       std::make_move_iterator(found.begin()),
                       std::make_move_iterator(found.end()));
    return std::nullopt;
}

}  // namespace topress::plugin
