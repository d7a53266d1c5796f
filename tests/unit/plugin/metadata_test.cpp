// plugin.toml: everything that can be said, and every mistake with its place.
#include "plugin/metadata.hpp"

#include <doctest/doctest.h>

using namespace topress;
using namespace topress::plugin;

namespace {

constexpr const char* kComplete = R"(schema = 1
[plugin]
id = "org.example.tools"
version = "0.2.0"
license = "MIT"
summary = "Two techniques"

[[technique]]
id = "example.prune"
summary = "Removes channels"
kind = "static"
granularity = "channel"
rank = 3
reads = ["topology", "weights", "x-saliency"]
writes = ["channels", "weights"]
requires = ["capability:trained"]
conflicts = ["example.exit"]
provides = ["slim"]
needs = { training_data = true, labels = true, teacher = false, cuda = "optional" }
determinism = "same-device"
  [[technique.before]]
  target = "granularity:bit"
  strength = "hard"
  reason = "scales belong to the channels that stay"
  source = "arXiv 2403.17447"
  [[technique.before]]
  target = "kind:dynamic"
  reason = "exits see the final body"
  [[technique.after]]
  target = "example.student"
  strength = "soft"
  reason = "coarse first"
  [technique.parameters.zeta]
  type = "number"
  default = 1
  minimum = 0
  maximum = 2.5
  unit = "ratio"
  doc = "How much."
  [technique.parameters.alpha]
  type = "string"
  values = ["l1", "l2"]
  doc = "Which norm."
  [technique.parameters.layers]
  type = "integer-list"
  default = []
  doc = "Which layers."

[[technique]]
id = "example.exit"
summary = "Adds exits"
kind = "dynamic"
granularity = "architecture"
)";

std::string replaced(const std::string& text, const std::string& part, const std::string& other) {
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.substr(0, at) + other + text.substr(at + part.size());
}

// A small valid file with one line put in place of another.
std::string with(const std::string& line, const std::string& replacement) {
    const std::string text = R"(schema = 1
[plugin]
id = "org.example.tools"
version = "0.2.0"
license = "MIT"
summary = "One technique"
[[technique]]
id = "example.prune"
summary = "Removes channels"
kind = "static"
granularity = "channel"
reads = ["weights"]
[[technique.before]]
target = "kind:dynamic"
reason = "because"
[technique.parameters.ratio]
type = "number"
default = 0.5
minimum = 0.1
doc = "How much."
)";
    return replaced(text, line, replacement);
}

struct Mistake {
    const char* line;
    const char* replacement;
    int at_line;
    const char* message_part;
};

constexpr Mistake kMistakes[] = {
    {"schema = 1", "schema = 2", 1, "schema '2' is not known here"},
    {"schema = 1", "", 1, "'schema'"},
    {"[plugin]", "[plug]", 2, "unknown table 'plug'"},
    {"id = \"org.example.tools\"", "id = \"Tools\"", 3, "'Tools' is not a plugin id"},
    {"id = \"org.example.tools\"", "id = \"tools\"", 3, "'tools' is not a plugin id"},
    {"license = \"MIT\"", "licence = \"MIT\"", 5, "'licence'"},
    {"version = \"0.2.0\"", "version = 2", 4, "'version'"},
    {"id = \"example.prune\"", "id = \"example..prune\"", 8, "is not a technique id"},
    {"kind = \"static\"", "kind = \"statistic\"", 10, "'kind'"},
    {"granularity = \"channel\"", "granularity = \"channels\"", 11, "'granularity'"},
    {"reads = [\"weights\"]", "reads = [\"weigths\"]", 12, "'weigths' is not a resource"},
    {"reads = [\"weights\"]", "reads = [\"x-\"]", 12, "'x-' is not a resource"},
    {"reads = [\"weights\"]", "reads = \"weights\"", 12, "'reads'"},
    {"target = \"kind:dynamic\"",
     "target = \"kind:lively\"",
     14,
     "'kind:lively' is not a reference"},
    {"target = \"kind:dynamic\"", "target = \"sort:x\"", 14, "'sort:x' is not a reference"},
    {"reason = \"because\"", "", 13, "'reason'"},
    {"reason = \"because\"", "reason = \"b\"\nstrength = \"firm\"", 16, "'strength'"},
    {"type = \"number\"", "type = \"float\"", 17, "'type'"},
    {"default = 0.5", "default = \"half\"", 18, "'ratio'"},
    {"default = 0.5", "default = 0.05", 18, "'ratio'"},
    {"minimum = 0.1", "minimum = 3\nmaximum = 1", 18, "'ratio'"},
    {"type = \"number\"", "type = \"string\"\nvalues = [\"a\"]", 20, "'ratio' has limits"},
    {"minimum = 0.1", "values = [\"a\"]", 19, "lists accepted strings"},
    {"minimum = 0.1", "file = true", 19, "'ratio' is a file, but no string"},
    {"doc = \"How much.\"", "", 16, "'doc'"},
    {"doc = \"How much.\"", "doc = \"How much.\"\nstep = 1", 21, "'step'"},
    {"[technique.parameters.ratio]",
     "[technique.parameters.timeout_s]",
     16,
     "'timeout_s' is a key that topress itself reads"},
    {"[[technique]]", "[technique]", 7, "technique"},
    {"summary = \"One technique\"", "summary = ", 6, "TOML"},
};

}  // namespace

TEST_CASE("metadata: everything that can be said is read") {
    Diagnostics diagnostics;
    const auto plugin = parse_metadata(kComplete, "plugin.toml", diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
        MESSAGE(render(diagnostic));
    }
    REQUIRE(plugin.has_value());
    CHECK(plugin->id == "org.example.tools");
    CHECK(plugin->name == "tools");
    CHECK(plugin->version == "0.2.0");
    CHECK(plugin->license == "MIT");
    REQUIRE(plugin->techniques.size() == 2);
    const TechniqueMetadata& prune = plugin->techniques[0];
    CHECK(prune.id == "example.prune");
    CHECK(prune.kind == "static");
    CHECK(prune.granularity == "channel");
    CHECK(prune.rank == 3);
    CHECK(prune.reads == std::vector<std::string>{"topology", "weights", "x-saliency"});
    CHECK(prune.writes == std::vector<std::string>{"channels", "weights"});
    CHECK(prune.requires_ == std::vector<std::string>{"capability:trained"});
    CHECK(prune.conflicts == std::vector<std::string>{"example.exit"});
    CHECK(prune.provides == std::vector<std::string>{"slim"});
    CHECK(prune.needs.training_data);
    CHECK(prune.needs.labels);
    CHECK_FALSE(prune.needs.teacher);
    CHECK(prune.needs.cuda == Need::Optional);
    CHECK(prune.determinism == "same-device");
    CHECK(prune.where.line == 8);
    const TechniqueMetadata& exits = plugin->techniques[1];
    CHECK(exits.needs.cuda == Need::None);
    CHECK(exits.determinism == "bit-exact");
}

TEST_CASE("metadata: relations know strength, reason, source and line") {
    Diagnostics diagnostics;
    const auto plugin = parse_metadata(kComplete, "plugin.toml", diagnostics);
    REQUIRE(plugin.has_value());
    const TechniqueMetadata& prune = plugin->techniques[0];
    REQUIRE(prune.before.size() == 2);
    CHECK(prune.before[0].target == "granularity:bit");
    CHECK(prune.before[0].is_hard);
    CHECK(prune.before[0].source == "arXiv 2403.17447");
    CHECK(prune.before[0].where.file == "plugin.toml");
    CHECK(prune.before[0].where.line == 21);
    CHECK_FALSE(prune.before[1].is_hard);
    REQUIRE(prune.after.size() == 1);
    CHECK(prune.after[0].target == "example.student");
    CHECK(prune.after[0].reason == "coarse first");
}

TEST_CASE("metadata: parameters keep the order of the file, defaults have the declared type") {
    Diagnostics diagnostics;
    const auto plugin = parse_metadata(kComplete, "plugin.toml", diagnostics);
    REQUIRE(plugin.has_value());
    const auto& parameters = plugin->techniques[0].parameters;
    REQUIRE(parameters.size() == 3);
    CHECK(parameters[0].name == "zeta");
    CHECK(parameters[0].type == config::ParameterType::Number);
    REQUIRE(parameters[0].default_value.has_value());
    CHECK(std::get<double>(*parameters[0].default_value) == 1.0);
    CHECK(parameters[0].minimum == 0.0);
    CHECK(parameters[0].maximum == 2.5);
    CHECK(parameters[0].unit == "ratio");
    CHECK(parameters[1].name == "alpha");
    CHECK_FALSE(parameters[1].default_value.has_value());
    CHECK(parameters[1].values == std::vector<std::string>{"l1", "l2"});
    CHECK(parameters[2].name == "layers");
    CHECK(std::get<std::vector<std::int64_t>>(*parameters[2].default_value).empty());
}

TEST_CASE("metadata: every mistake is plugin/bad-metadata at its line") {
    for (const Mistake& mistake : kMistakes) {
        CAPTURE(mistake.replacement);
        Diagnostics diagnostics;
        const auto plugin =
            parse_metadata(with(mistake.line, mistake.replacement), "plugin.toml", diagnostics);
        CHECK_FALSE(plugin.has_value());
        REQUIRE_FALSE(diagnostics.empty());
        bool is_found = false;
        for (const Diagnostic& diagnostic : diagnostics) {
            CHECK(diagnostic.code == "plugin/bad-metadata");
            CHECK(diagnostic.location.file == "plugin.toml");
            CAPTURE(diagnostic.message);
            is_found =
                is_found || (diagnostic.location.line == mistake.at_line &&
                             diagnostic.message.find(mistake.message_part) != std::string::npos);
        }
        CHECK_MESSAGE(is_found, render(diagnostics.front()));
    }
}

TEST_CASE("metadata: the unchanged base of the mistakes is right") {
    Diagnostics diagnostics;
    CHECK(parse_metadata(with("schema = 1", "schema = 1"), "plugin.toml", diagnostics).has_value());
    CHECK(diagnostics.empty());
}

TEST_CASE("metadata: several mistakes are told at once") {
    Diagnostics diagnostics;
    const std::string text = replaced(
        replaced(with("kind = \"static\"", "kind = \"wrong\""), "\"MIT\"", "1"), "= 0.5", "= 0.0");
    CHECK_FALSE(parse_metadata(text, "plugin.toml", diagnostics).has_value());
    CHECK(diagnostics.size() == 3);
}

TEST_CASE("metadata: a technique declared twice, or none at all, is a mistake") {
    Diagnostics twice;
    const std::string text = with("schema = 1", "schema = 1");
    const std::string again = text.substr(text.find("[[technique]]"));
    CHECK_FALSE(parse_metadata(text + again, "plugin.toml", twice).has_value());
    REQUIRE(twice.size() == 1);
    CHECK(twice[0].message == "the technique 'example.prune' is declared twice");
    Diagnostics none;
    CHECK_FALSE(parse_metadata(text.substr(0, text.find("[[technique]]")), "plugin.toml", none)
                    .has_value());
    REQUIRE(none.size() == 1);
    CHECK(none[0].message == "the plugin declares no technique");
}

TEST_CASE("metadata: bytes that are no text do not end the reader") {
    Diagnostics diagnostics;
    CHECK_FALSE(
        parse_metadata(std::string("\xff\xfe\x00\x01", 4), "plugin.toml", diagnostics).has_value());
    CHECK(has_errors(diagnostics));
}
