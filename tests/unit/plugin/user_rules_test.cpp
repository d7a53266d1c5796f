// plugins.allow and plugins.deny: how they are written, every mistake, and what they do.
#include "plugin/user_rules.hpp"

#include "plugin/sha256.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

PluginRules rules_of(const std::string& lists) {
    Diagnostics diagnostics;
    PluginRules rules =
        parse_user_rules("schema = 1\n[plugins]\n" + lists, "config.toml", diagnostics);
    REQUIRE(diagnostics.empty());
    return rules;
}

std::string code_of(const PluginRules& rules,
                    const std::string& id,
                    const fs::path& file,
                    bool is_bundled = false) {
    const auto refusal = check_rules(rules, id, file, is_bundled);
    return refusal ? refusal->code : "passed";
}

struct Mistake {
    const char* text;
    const char* code;
    int line;
};

constexpr Mistake kMistakes[] = {
    {"[plugins", "config/syntax", 1},
    {"[plugins]\nallow = []\n", "config/missing-key", 1},
    {"schema = 2\n", "config/out-of-range", 1},
    {"schema = 1\nallow = [\"org.x\"]\n", "config/unknown-key", 2},
    {"schema = 1\n[plugin]\n", "config/unknown-key", 2},
    {"schema = 1\n[[plugins]]\nallow = []\n", "config/unknown-key", 2},
    {"schema = 1\n[plugins]\nalow = []\n", "config/unknown-key", 3},
    {"schema = 1\n[plugins]\nallow = \"org.example.x\"\n", "config/wrong-type", 3},
    {"schema = 1\n[plugins]\ndeny = [\"../../evil\"]\n", "config/invalid-value", 3},
    {"schema = 1\n[plugins]\ndeny = [\"org/evil.x\"]\n", "config/invalid-value", 3},
    {"schema = 1\n[plugins]\ndeny = [\"sha256:12ab\"]\n", "config/invalid-value", 3},
};

}  // namespace

TEST_CASE("user_rules: SHA-256 of a file is that of the standard's example") {
    const TemporaryFolder folder;
    std::ofstream(folder.path() / "abc") << "abc";
    CHECK(sha256_of_file(folder.path() / "abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("user_rules: every mistake has its code and line") {
    for (const Mistake& mistake : kMistakes) {
        CAPTURE(mistake.text);
        Diagnostics diagnostics;
        (void)parse_user_rules(mistake.text, "config.toml", diagnostics);
        REQUIRE_FALSE(diagnostics.empty());
        CHECK(diagnostics[0].code == mistake.code);
        CHECK(diagnostics[0].location.line == mistake.line);
        CHECK(diagnostics[0].location.file == "config.toml");
    }
}

TEST_CASE("user_rules: without rules everything passes") {
    CHECK(code_of(rules_of(""), "org.example.x", "/no/file") == "passed");
    CHECK(code_of(rules_of("allow = []\ndeny = []\n"), "org.example.x", "/no/file") == "passed");
}

TEST_CASE("user_rules: deny names an id, bundled or not, and wins over allow") {
    const PluginRules rules = rules_of("allow = [\"org.example.x\"]\ndeny = [\"org.example.x\"]\n");
    CHECK(code_of(rules, "org.example.x", "/no/file") == "plugin/denied");
    CHECK(code_of(rules, "org.example.x", "/no/file", true) == "plugin/denied");
}

TEST_CASE("user_rules: an allow list admits what it names and what is bundled") {
    const PluginRules rules = rules_of("allow = [\"org.example.x\"]\n");
    CHECK(code_of(rules, "org.example.x", "/no/file") == "passed");
    CHECK(code_of(rules, "org.example.y", "/no/file") == "plugin/not-allowed");
    CHECK(code_of(rules, "org.example.y", "/no/file", true) == "passed");
}

TEST_CASE("user_rules: a SHA-256 names the content of a file, whatever its id") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "good");
    const std::string hash = sha256_of_file(file);
    std::string upper = hash;
    for (char& c : upper) {
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    const PluginRules denied = rules_of("deny = [\"sha256:" + upper + "\"]\n");
    CHECK(code_of(denied, "org.any.id", file) == "plugin/denied");
    CHECK(code_of(denied, "org.any.id", folder.take("fails_in_apply", "other")) == "passed");
    const PluginRules allowed = rules_of("allow = [\"sha256:" + hash + "\"]\n");
    CHECK(code_of(allowed, "org.any.id", file) == "passed");
    std::ofstream(file, std::ios::app) << "x";
    CHECK(code_of(allowed, "org.any.id", file) == "plugin/not-allowed");
}

TEST_CASE("user_rules: the search obeys them and says where they stand") {
    const TemporaryFolder folder;
    folder.take("good", "good");
    SearchInputs inputs;
    inputs.command_line = {folder.path()};
    SearchPaths paths = make_search_paths(inputs);
    paths.rules = rules_of("deny = [\"org.topress.fixture.good\"]\n");
    const Catalog catalog = find_plugins(paths, fixture_host_fingerprint());
    REQUIRE(catalog.entries.size() == 1);
    CHECK(catalog.entries[0].refusal.code == "plugin/denied");
    CHECK(note_of(catalog.entries[0].refusal, "rule") == "plugins.deny at config.toml:3");
}

TEST_CASE("user_rules: no file means no rules, a file that others can write is an error") {
    const TemporaryFolder folder;
    TrustChecker trust(TrustPolicy::of_process());
    Diagnostics diagnostics;
    CHECK(load_user_rules(folder.path() / "none.toml", trust, diagnostics).file.empty());
    CHECK(diagnostics.empty());
    const fs::path file = folder.path() / "config.toml";
    std::ofstream(file) << "schema = 1\n[plugins]\nallow = [\"org.example.x\"]\n";
    CHECK(load_user_rules(file, trust, diagnostics).allow.size() == 1);
    CHECK(diagnostics.empty());
    fs::permissions(file, fs::perms::all);
    (void)load_user_rules(file, trust, diagnostics);
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].code == "config/untrusted");
}
