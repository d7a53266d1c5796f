// What is rendered from the key tables and from plugin.toml: JSON schema, example, pages.
#include "base/files.hpp"
#include "config/tree.hpp"
#include "plugin/metadata_json.hpp"
#include "plugin/metadata_page.hpp"
#include "plugin/metadata_schema.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <regex>

using namespace topress;
using namespace topress::plugin;

namespace {

std::string source_path(const std::string& name) {
    const char* folder = std::getenv("TOPRESS_TEST_SOURCE_DIR");
    REQUIRE(folder != nullptr);
    return std::string(folder) + "/" + name;
}

PluginMetadata read(const std::string& file) {
    Diagnostics diagnostics;
    const auto plugin = parse_metadata(read_file(source_path(file)), file, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
        MESSAGE(render(diagnostic));
    }
    REQUIRE(plugin.has_value());
    return *plugin;
}

// The file holds this text; TOPRESS_UPDATE_GOLDEN writes it.
void check_golden(const std::string& file, const std::string& text) {
    if (std::getenv("TOPRESS_UPDATE_GOLDEN") != nullptr) {
        write_file_atomically(source_path(file), text);
    }
    CAPTURE(file);
    CHECK(read_file(source_path(file)) == text);
}

using Trees = std::vector<const config::Tree*>;

const Json& resolved(const Json& schema, const Json& node) {
    return node.contains("$ref")
               ? schema.at(Json::json_pointer(node.at("$ref").get<std::string>().substr(1)))
               : node;
}

// The sub-tables and rows of that name; an empty name means all sub-tables.
Trees children(const Trees& trees, const std::string& name) {
    Trees found;
    for (const config::Tree* tree : trees) {
        for (const auto* list : {&tree->tables, &tree->rows}) {
            for (const config::Tree& child : *list) {
                if (name.empty() || child.name == name) {
                    found.push_back(&child);
                }
            }
        }
    }
    return found;
}

// Keys of the schema that no table of the document has, with their path.
void find_unused(const Json& schema,
                 const Json& node,
                 const Trees& trees,
                 const std::string& path,
                 std::vector<std::string>& unused) {
    const Json& table = resolved(schema, node);
    if (table.contains("items")) {
        find_unused(schema, table.at("items"), trees, path, unused);
    }
    if (table.contains("additionalProperties") && table.at("additionalProperties").is_object()) {
        find_unused(
            schema, table.at("additionalProperties"), children(trees, ""), path + ".*", unused);
    }
    if (!table.contains("properties")) {
        return;
    }
    for (const auto& [name, property] : table.at("properties").items()) {
        const bool is_value = std::ranges::any_of(
            trees, [&key = name](const config::Tree* tree) { return tree->values.contains(key); });
        const Trees below = children(trees, name);
        const std::string here = path.empty() ? name : path + "." + name;
        if (!is_value && below.empty()) {
            unused.push_back(here);
        }
        if (!below.empty()) {
            find_unused(schema, property, below, here, unused);
        }
    }
}

std::vector<std::string> unused_keys(const std::string& text) {
    Diagnostics found;
    const config::Tree tree = config::read_tree(text, "example", found);
    REQUIRE(found.empty());
    std::vector<std::string> unused;
    const Json schema = metadata_json_schema();
    find_unused(schema, schema, {&tree}, "", unused);
    return unused;
}

std::regex pattern_of(const char* table, const char* key) {
    Json property = metadata_json_schema().at("$defs").at(table).at("properties").at(key);
    return std::regex((property.contains("items") ? property.at("items") : property)
                          .at("pattern")
                          .get<std::string>());
}

constexpr const char* kBundled[] = {"distillation", "early_exit", "pruning", "quantization"};

}  // namespace

TEST_CASE("metadata: docs/plugin.schema.json is what the key tables render") {
    check_golden("docs/plugin.schema.json", to_text(metadata_json_schema()));
}

TEST_CASE("metadata: the documented example is right and shows every key") {
    CHECK(read("docs/plugin.example.toml").techniques.size() == 1);
    const std::string text = read_file(source_path("docs/plugin.example.toml"));
    CHECK(unused_keys(text).empty());
    const auto without = [&](const std::string& line) {
        const std::size_t at = text.find(line);
        REQUIRE(at != std::string::npos);
        return text.substr(0, at) + text.substr(text.find('\n', at));
    };
    using Names = std::vector<std::string>;
    CHECK(unused_keys(without("torch_namespaces =")) == Names{"plugin.torch_namespaces"});
    CHECK(unused_keys(without("teacher =")) == Names{"technique.needs.teacher"});
    CHECK(unused_keys(without("required_if =")) == Names{"technique.parameters.*.required_if.is"});
    CHECK(unused_keys(without("channel_multiple =")) == Names{"technique.effect.channel_multiple"});
    CHECK(unused_keys(without("is_not =")) == Names{"technique.when.is_not"});
}

TEST_CASE("metadata: the documentation names every key of the schema") {
    const std::string page = read_file(source_path("docs/plugin-metadata.md"));
    for (const Specs* keys : {&document_keys(),
                              &plugin_keys(),
                              &technique_keys(),
                              &needs_keys(),
                              &effect_keys(),
                              &relation_keys(),
                              &when_keys(),
                              &condition_keys(),
                              &parameter_keys()}) {
        for (const config::ParameterSpec& key : *keys) {
            CAPTURE(key.name);
            CHECK(page.find("`" + key.name) != std::string::npos);
        }
    }
}

TEST_CASE("metadata: the patterns of the JSON schema are the spelling rules of the parser") {
    const char* const samples[] = {"a",
                                   "a.b",
                                   "a.b.c-2_x",
                                   "A",
                                   "a..b",
                                   ".a",
                                   "a.",
                                   "2a",
                                   "a.2",
                                   "a b",
                                   "weights",
                                   "x-mine",
                                   "x-",
                                   "x-2",
                                   "x-a.b",
                                   "kind:static",
                                   "kind:x",
                                   "kind:",
                                   "sort:x",
                                   "",
                                   "granularity:bit",
                                   "granularity:bits",
                                   "capability:a.b",
                                   "capability:",
                                   "a_b",
                                   "a-",
                                   "-a",
                                   "kind:static "};
    const std::regex technique = pattern_of("technique", "id");
    const std::regex resource = pattern_of("technique", "reads");
    const std::regex reference = pattern_of("relation", "target");
    for (const std::string sample : samples) {
        CAPTURE(sample);
        CHECK(std::regex_search(sample, technique) == is_identifier(sample, 1));
        CHECK(std::regex_search(sample, resource) == is_resource(sample));
        CHECK(std::regex_search(sample, reference) == is_reference(sample));
    }
}

TEST_CASE("metadata: the pages of the bundled plugins are what their plugin.toml renders") {
    for (const std::string name : kBundled) {
        check_golden("docs/plugins/" + name + ".md",
                     to_markdown(read("plugins/" + name + "/plugin.toml")));
    }
}

TEST_CASE("metadata: a page says all that a technique declares") {
    const PluginMetadata plugin = read("docs/plugin.example.toml");
    for (const std::string& page : {to_markdown(plugin), to_plain_text(plugin, "", 400)}) {
        for (const char* part : {"org.example.everything",
                                 "1.2.0",
                                 "Apache-2.0",
                                 "example.cluster",
                                 "static",
                                 "weight",
                                 "x-schedule",
                                 "epochs is not 0",
                                 "capability:binary-weights",
                                 "shared-weights",
                                 "other.cluster",
                                 "granularity:channel",
                                 "(hard)",
                                 "arXiv 1510.00149",
                                 "same-device",
                                 "training data, labels",
                                 "process of its own",
                                 "2 to 256",
                                 "k-means",
                                 "clusters",
                                 "required when",
                                 "first_last_bits = 8",
                                 "Width of the kernel"}) {
            CAPTURE(page);
            CAPTURE(part);
            CHECK(page.find(part) != std::string::npos);
        }
    }
}

TEST_CASE("metadata: a page of one technique leaves the others out") {
    const PluginMetadata plugin = read("plugins/distillation/plugin.toml");
    const std::string page = to_plain_text(plugin, "distillation.recovery");
    CHECK(page.find("Depth of the student") == std::string::npos);
    CHECK(page.find("Fine-tuning budget") != std::string::npos);
    CHECK(to_markdown(plugin, "distillation.recovery").find("## distillation.student") ==
          std::string::npos);
}

TEST_CASE("metadata: a page for the terminal keeps to its width") {
    for (const int width : {60, 80, 120}) {
        const std::string page = to_plain_text(read("plugins/quantization/plugin.toml"), "", width);
        std::size_t longest = 0;
        for (std::size_t at = 0; at < page.size();) {
            const std::size_t end = std::min(page.find('\n', at), page.size());
            longest = std::max(longest, end - at);
            at = end + 1;
        }
        CHECK(longest <= static_cast<std::size_t>(width));
        CHECK(longest > static_cast<std::size_t>(width) * 3 / 4);
    }
}

TEST_CASE("metadata: as JSON it has every key of the technique") {
    const Json json = to_json(read("docs/plugin.example.toml"));
    const Json& technique = json.at("techniques").at(0);
    for (const config::ParameterSpec& key : technique_keys()) {
        CAPTURE(key.name);
        CHECK(technique.contains(key.name));
    }
    CHECK(technique.at("when").at(0).at("is_not") == Json::array({0.0}));
    CHECK(technique.at("when").at(1).at("is") == Json::array({"uniform", "density"}));
    CHECK(technique.at("parameters").at(5).at("required_if").at("parameter") == "method");
    CHECK(technique.at("parameters").at(4).at("file") == true);
    CHECK(technique.at("before").at(0).at("source") == "arXiv 1510.00149");
    CHECK(technique.at("parameters").at(0).at("type") == "integer");
}
