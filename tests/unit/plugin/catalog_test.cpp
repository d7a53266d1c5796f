// Finding plugins: search order, verdicts by code, shadowing, duplicates, determinism.
#include "plugin/catalog.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

SearchPaths places(const std::vector<fs::path>& folders) {
    SearchInputs inputs;
    inputs.command_line = folders;
    return make_search_paths(inputs);
}

Catalog find_in(const std::vector<fs::path>& folders) {
    return find_plugins(places(folders), fixture_host_fingerprint());
}

struct Gate {
    const char* fixture;
    const char* code;
    const char* found_part;
    const char* expected_part;
};

constexpr Gate kGates[] = {
    {"not_elf", "plugin/not-elf", "without the ELF mark", "ELF shared library"},
    {"truncated", "plugin/truncated", "bytes", "6000 bytes"},
    {"no_note", "plugin/no-note", "no note", "both notes"},
    {"no_build_note", "plugin/no-note", "without a build note", "both notes"},
    {"wrong_major", "plugin/abi-major", "plugin ABI 2.0", "plugin ABI 1.0"},
    {"newer_minor", "plugin/abi-minor", "plugin ABI 1.99", "at most plugin ABI 1.0"},
    {"wrong_fingerprint", "plugin/fingerprint-mismatch", "0.0.1-other", "0.0.0-fixture"},
    {"short_fingerprint", "plugin/fingerprint-mismatch", "fingerprint size 8", "fingerprint size"},
    {"missing_symbol", "plugin/missing-symbol", "some_other_entry", "topress_plugin_entry"},
    {"bad_magic", "plugin/bad-entry", "magic number", "<topress/abi.h>"},
    {"small_entry", "plugin/bad-entry", "16 bytes", "at least"},
};

}  // namespace

TEST_CASE("catalog: each gate refuses by its code with found and expected") {
    for (const Gate& gate : kGates) {
        CAPTURE(gate.fixture);
        const CatalogEntry entry =
            examine_plugin(fixture(gate.fixture), fixture_host_fingerprint());
        CHECK(entry.verdict == Verdict::Refused);
        CHECK_FALSE(entry.is_active());
        CHECK(entry.refusal.code == gate.code);
        CHECK(entry.refusal.location.file == fixture(gate.fixture).string());
        CAPTURE(note_of(entry.refusal, "found"));
        CHECK(note_of(entry.refusal, "found").find(gate.found_part) != std::string::npos);
        CAPTURE(note_of(entry.refusal, "expected"));
        CHECK(note_of(entry.refusal, "expected").find(gate.expected_part) != std::string::npos);
        CHECK_FALSE(entry.refusal.hint.empty());
    }
}

TEST_CASE("catalog: bad metadata is one refusal that names every mistake") {
    const CatalogEntry entry = examine_plugin(fixture("bad_metadata"), fixture_host_fingerprint());
    CHECK(entry.verdict == Verdict::Refused);
    CHECK(entry.refusal.code == "plugin/bad-metadata");
    CHECK_FALSE(entry.metadata.has_value());
    CHECK(entry.refusal.notes.size() == 1);
}

TEST_CASE("catalog: a good plugin is loadable with its metadata and ABI version") {
    const CatalogEntry entry = examine_plugin(fixture("good"), fixture_host_fingerprint());
    CHECK(entry.is_active());
    REQUIRE(entry.metadata.has_value());
    CHECK(entry.metadata->id == "org.topress.fixture.good");
    CHECK(entry.metadata->abi.major == TOPRESS_ABI_MAJOR);
    CHECK(entry.refusal.code.empty());
}

TEST_CASE("catalog: a refused build still shows who it is") {
    const CatalogEntry entry = examine_plugin(fixture("wrong_major"), fixture_host_fingerprint());
    REQUIRE(entry.metadata.has_value());
    CHECK(entry.metadata->id == "org.topress.fixture.wrong-major");
    CHECK(entry.metadata->abi.major == 2);
}

TEST_CASE("catalog: the first place that has a plugin shadows the others") {
    const TemporaryFolder folder;
    folder.take("good", "a/first");
    folder.take("good", "b/second");
    const Catalog catalog = find_in({folder.path() / "b", folder.path() / "a"});
    REQUIRE(catalog.entries.size() == 2);
    CHECK(catalog.entries[0].path == folder.path() / "b/second.so");
    CHECK(catalog.entries[0].is_active());
    CHECK(catalog.entries[1].path == folder.path() / "a/first.so");
    CHECK(catalog.entries[1].shadowed_by == folder.path() / "b/second.so");
    CHECK(catalog.techniques().size() == 1);
    CHECK(catalog.find_plugin("org.topress.fixture.good") == &catalog.entries[0]);
}

TEST_CASE("catalog: a refused file shadows nothing") {
    const TemporaryFolder folder;
    folder.take("good", "a/plugin");
    fs::resize_file(folder.take("good", "b/plugin"), 5000);
    const Catalog catalog = find_in({folder.path() / "b", folder.path() / "a"});
    REQUIRE(catalog.technique_ids() == std::vector<std::string>{"fixture.good"});
    CHECK(catalog.find_technique("fixture.good")->plugin->path == folder.path() / "a/plugin.so");
}

TEST_CASE("catalog: a technique id that another plugin has is plugin/duplicate-technique") {
    const TemporaryFolder folder;
    folder.take("good", "1");
    folder.take("takes_technique", "2");
    const Catalog catalog = find_in({folder.path()});
    const CatalogEntry* refused = catalog.find_plugin("org.topress.fixture.takes-technique");
    REQUIRE(refused != nullptr);
    CHECK(refused->refusal.code == "plugin/duplicate-technique");
    CHECK(refused->refusal.message.find("org.topress.fixture.good") != std::string::npos);
    CHECK(catalog.technique_ids() == std::vector<std::string>{"fixture.good"});
}

TEST_CASE("catalog: the listing is sorted by id and files without one come last") {
    const TemporaryFolder folder;
    folder.take("not_elf", "0");
    folder.take("wrong_major", "1");
    folder.take("good", "2");
    folder.take("fails_in_apply", "3");
    const Catalog catalog = find_in({folder.path()});
    std::vector<std::string> names;
    for (const CatalogEntry& entry : catalog.entries) {
        names.push_back(entry.path.stem().string());
    }
    CHECK(names == std::vector<std::string>{"3", "2", "1", "0"});
}

TEST_CASE("catalog: a file that is reached twice is listed once") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "a/plugin");
    fs::create_directory_symlink(folder.path() / "a", folder.path() / "link");
    CHECK(find_in({folder.path() / "a", folder.path() / "link", file}).entries.size() == 1);
}

TEST_CASE("catalog: only files named .so are looked at, unless a file is named itself") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "plugin");
    fs::rename(file, folder.path() / "plugin.backup");
    CHECK(find_in({folder.path()}).entries.empty());
    const Catalog named = find_in({folder.path() / "plugin.backup"});
    REQUIRE(named.entries.size() == 1);
    CHECK(named.entries[0].is_active());
    CHECK(named.entries[0].where_from == "--plugin-path");
}

TEST_CASE("catalog: a named folder that is not there is a warning, an implied one is not") {
    SearchInputs inputs;
    inputs.command_line = {"/no-such-folder/named"};
    inputs.user_data = "/no-such-folder/data";
    inputs.executable = "/no-such-folder/bin/topress";
    const Catalog catalog = find_plugins(make_search_paths(inputs), fixture_host_fingerprint());
    REQUIRE(catalog.diagnostics.size() == 1);
    CHECK(catalog.diagnostics[0].code == "plugin/path-ignored");
    CHECK(catalog.diagnostics[0].severity == Severity::Warning);
}

TEST_CASE("catalog: only what lies beside the program is bundled") {
    const TemporaryFolder folder;
    folder.take("good", "lib/topress/plugins/good");
    folder.take("fails_in_apply", "elsewhere/other");
    SearchInputs inputs;
    inputs.executable = folder.path() / "bin/topress";
    inputs.command_line = {folder.path() / "elsewhere"};
    const Catalog catalog = find_plugins(make_search_paths(inputs), fixture_host_fingerprint());
    REQUIRE(catalog.entries.size() == 2);
    CHECK(catalog.find_technique("fixture.good")->plugin->is_bundled());
    CHECK_FALSE(catalog.find_plugin("org.topress.fixture.fails-in-apply")->is_bundled());
}

TEST_CASE("catalog: a link that leads nowhere is refused, not fatal") {
    const TemporaryFolder folder;
    fs::create_symlink(folder.path() / "gone", folder.path() / "dangling.so");
    const Catalog catalog = find_in({folder.path()});
    REQUIRE(catalog.entries.size() == 1);
    CHECK(catalog.entries[0].refusal.code == "plugin/cannot-load");
}
