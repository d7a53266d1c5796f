// plugin.toml: conditions on parameters, isolation, replacement, namespaces.
#include "plugin/metadata.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace topress;
using namespace topress::plugin;

namespace {

constexpr const char* kText = R"(schema = 1
[plugin]
id = "org.example.tools"
version = "0.2.0"
license = "MIT"
summary = "One technique"
torch_namespaces = ["example_tools", "_more2"]
[[technique]]
id = "example.round"
summary = "Rounds weights"
kind = "static"
granularity = "bit"
reads = ["topology"]
writes = ["precision"]
replaces = ["other.round", "older.round"]
isolation = "process"
  [[technique.when]]
  parameter = "epochs"
  is_not = 0
  reads = ["x-data"]
  writes = ["weights", "batch-stats"]
  [[technique.when]]
  parameter = "method"
  is = ["learned", "mixed"]
  writes = ["weights"]
  [technique.parameters.epochs]
  type = "number"
  default = 0
  minimum = 0
  doc = "How long."
  [technique.parameters.method]
  type = "string"
  default = "nearest"
  values = ["nearest", "learned", "mixed"]
  doc = "How."
  [technique.parameters.learning_rate]
  type = "number"
  required_if = { parameter = "method", is_not = "nearest" }
  doc = "Of the learned ones."
  [technique.parameters.sizes]
  type = "integer-list"
  optional = true
  doc = "A list."
)";

std::string replaced(std::string text, const std::string& part, const std::string& other) {
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, part.size(), other);
}

PluginMetadata parsed(const std::string& text = kText) {
    Diagnostics diagnostics;
    auto plugin = parse_metadata(text, "plugin.toml", diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
        MESSAGE(render(diagnostic));
    }
    REQUIRE(plugin.has_value());
    return *plugin;
}

config::Parameters values_of(const TechniqueMetadata& technique,
                             double epochs,
                             const char* method) {
    const config::Parameters given = {{"epochs", {epochs, {}, {}}},
                                      {"method", {std::string(method), {}, {}}}};
    return config::fill_defaults(given, technique.parameters);
}

using Names = std::vector<std::string>;

struct Mistake {
    const char* part;
    const char* other;
    int line;
    const char* message_part;
};

constexpr Mistake kMistakes[] = {
    {"\"_more2\"", "\"a-b\"", 7, "'a-b' is not a C++ identifier"},
    {"\"_more2\"", "\"2b\"", 7, "'2b' is not a C++ identifier"},
    {"\"older.round\"", "\"kind:static\"", 15, "'kind:static' is not a technique id"},
    {"\"older.round\"", "\"example.round\"", 15, "'example.round' cannot replace itself"},
    {"\"process\"", "\"proces\"", 16, "'isolation'"},
    {"parameter = \"epochs\"", "parameter = \"epoch\"", 18, "'epoch' is no other parameter"},
    {"parameter = \"epochs\"", "parameter = \"sizes\"", 18, "'sizes' is a list"},
    {"parameter = \"epochs\"", "", 17, "lacks the key 'parameter'"},
    {"is_not = 0", "", 17, "needs one of 'is' and 'is_not'"},
    {"is_not = 0", "is_not = 0\n  is = 1", 17, "needs one of 'is' and 'is_not'"},
    {"is_not = 0", "is_not = -1", 19, "'epochs' in [[technique.when]] is '-1'"},
    {"is_not = 0", "is_not = []", 19, "compares with no value"},
    {"is_not = 0", "is_nt = 0", 19, "unknown key 'is_nt'"},
    {"\"mixed\"]\n  w", "\"mixd\"]\n  w", 24, "'mixd' is no value of 'method'"},
    {"\"x-data\"", "\"data\"", 20, "'data' is not a resource"},
    {"\"batch-stats\"", "\"precision\"", 21, "'precision' is written always"},
    {"  writes = [\"weights\"]\n", "", 22, "says nothing"},
    {"required_if = { parameter = \"method\"",
     "required_if = { parameter = \"learning_rate\"",
     38,
     "'learning_rate' is no other parameter"},
    {"is_not = \"nearest\" }", "is_not = 3 }", 38, "'method' in"},
    {"is_not = \"nearest\" }", "is_not = \"nearest\" }\n  default = 1", 38, "has a default"},
    {"required_if = {", "required_when = {", 38, "unknown table 'required_when'"},
};

}  // namespace

TEST_CASE("metadata: isolation, replaced techniques and namespaces are read") {
    const PluginMetadata plugin = parsed();
    CHECK(plugin.torch_namespaces == Names{"example_tools", "_more2"});
    CHECK(plugin.techniques[0].isolation == "process");
    CHECK(plugin.techniques[0].replaces == Names{"other.round", "older.round"});
    const auto silent = parsed(replaced(kText, "isolation = \"process\"\n", ""));
    CHECK(silent.techniques[0].isolation.empty());
}

TEST_CASE("metadata: resources hold always, or while a condition on a parameter does") {
    const TechniqueMetadata technique = parsed().techniques[0];
    REQUIRE(technique.conditional.size() == 2);
    CHECK(config::to_text(technique.conditional[0].when) == "epochs is not 0.0");
    CHECK(config::to_text(technique.conditional[1].when) == "method is \"learned\" or \"mixed\"");
    const auto writes = [&](double epochs, const char* method) {
        return resource_use(technique, values_of(technique, epochs, method)).writes;
    };
    CHECK(writes(0, "nearest") == Names{"precision"});
    CHECK(writes(0.5, "nearest") == Names{"precision", "weights", "batch-stats"});
    CHECK(writes(0, "mixed") == Names{"precision", "weights"});
    CHECK(writes(1, "learned") == Names{"precision", "weights", "batch-stats"});
    CHECK(resource_use(technique, values_of(technique, 0, "learned")).reads == Names{"topology"});
    CHECK(resource_use(technique, values_of(technique, 1, "learned")).reads ==
          Names{"topology", "x-data"});
}

TEST_CASE("metadata: a parameter may be required under a condition on another") {
    const auto specs = parsed().techniques[0].parameters;
    REQUIRE(specs[2].required_if.has_value());
    const Location place{"run.toml", 7, 3, 0};
    const config::Parameters learned = {{"method", {std::string("learned"), place, place}}};
    const auto found = config::validate_parameters(learned, specs, "[technique.x]", {});
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "config/missing-key");
    CHECK(found[0].message ==
          "[technique.x] lacks the key 'learning_rate', which is required when method is not "
          "\"nearest\"");
    REQUIRE(found[0].notes.size() == 1);
    CHECK(found[0].notes[0].location.line == 7);
    CHECK(config::validate_parameters({}, specs, "[technique.x]", {}).empty());
    const config::Parameters both = {{"method", {std::string("learned"), place, place}},
                                     {"learning_rate", {0.5, place, place}}};
    CHECK(config::validate_parameters(both, specs, "[technique.x]", {}).empty());
}

TEST_CASE("metadata: a condition may be met by a default") {
    const auto specs = parsed(replaced(kText, "default = \"nearest\"", "default = \"mixed\""))
                           .techniques[0]
                           .parameters;
    const auto found = config::validate_parameters({}, specs, "[technique.x]", {});
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].notes.size() == 1);
    CHECK(found[0].notes[0].message == "'method' has its default, \"mixed\"");
}

TEST_CASE("metadata: mistakes in conditions and the like are found at their line") {
    for (const Mistake& mistake : kMistakes) {
        CAPTURE(mistake.other);
        Diagnostics diagnostics;
        const std::string text = replaced(kText, mistake.part, mistake.other);
        CHECK_FALSE(parse_metadata(text, "plugin.toml", diagnostics).has_value());
        REQUIRE_FALSE(diagnostics.empty());
        bool is_found = false;
        for (const Diagnostic& diagnostic : diagnostics) {
            CHECK(diagnostic.code == "plugin/bad-metadata");
            CHECK(diagnostic.location.column > 0);
            is_found =
                is_found || (diagnostic.location.line == mistake.line &&
                             diagnostic.message.find(mistake.message_part) != std::string::npos);
        }
        CHECK_MESSAGE(is_found, render(diagnostics.front()));
    }
}

TEST_CASE("metadata: several mistakes are told from top to bottom") {
    Diagnostics diagnostics;
    std::string text = replaced(kText, "\"process\"", "\"proces\"");
    text =
        replaced(replaced(text, "version = \"0.2.0\"", "version = 2"), "is_not = 0", "is_not = -1");
    CHECK_FALSE(parse_metadata(text, "plugin.toml", diagnostics).has_value());
    REQUIRE(diagnostics.size() == 3);
    CHECK(diagnostics[0].location.line == 4);
    CHECK(diagnostics[1].location.line == 16);
    CHECK(diagnostics[2].location.line == 19);
}
