// The decision gate by gate: where it stops, what is found before, what is not reached behind.
#include "plugin/decision.hpp"

#include "base/files.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sys/stat.h>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

struct Stop {
    const char* fixture;
    const char* gate;
    const char* code;
};

constexpr Stop kStops[] = {
    {"not_elf", "file", "plugin/not-elf"},
    {"truncated", "file", "plugin/truncated"},
    {"no_note", "notes", "plugin/no-note"},
    {"wrong_major", "abi", "plugin/abi-major"},
    {"newer_minor", "abi", "plugin/abi-minor"},
    {"wrong_fingerprint", "build", "plugin/fingerprint-mismatch"},
    {"bad_metadata", "metadata", "plugin/bad-metadata"},
    {"missing_symbol", "linkage", "plugin/missing-symbol"},
    {"bad_magic", "linkage", "plugin/bad-entry"},
};

SearchPaths places(const std::vector<fs::path>& folders) {
    SearchInputs inputs;
    inputs.command_line = folders;
    return make_search_paths(inputs);
}

std::vector<GateReport> explain(const CatalogEntry& entry,
                                const SearchPaths& paths,
                                const std::optional<ProbeVerdict>& probe = std::nullopt) {
    return explain_decision(entry, paths, fixture_host_fingerprint(), probe);
}

// The name of the gate that refuses; all before must pass, none behind be reached.
std::string stop_of(const std::vector<GateReport>& gates) {
    std::string stop;
    for (const GateReport& gate : gates) {
        CAPTURE(gate.gate);
        CHECK_FALSE(gate.question.empty());
        if (gate.outcome == GateOutcome::Refused) {
            CHECK(stop.empty());
            stop = gate.gate;
        } else if (stop.empty() && gate.gate != "probe") {
            CHECK(gate.outcome == GateOutcome::Passed);
            CHECK_FALSE(gate.found.empty());
        } else {
            CHECK(gate.outcome == GateOutcome::NotReached);
        }
    }
    return stop;
}

}  // namespace

TEST_CASE("decision: each gate stops what it refuses, with found, expected and what to do") {
    for (const Stop& stop : kStops) {
        CAPTURE(stop.fixture);
        const TemporaryFolder folder;
        const SearchPaths paths = places({folder.take(stop.fixture, "plugin")});
        const Catalog catalog = find_plugins(paths, fixture_host_fingerprint());
        REQUIRE(catalog.entries.size() == 1);
        const auto gates = explain(catalog.entries[0], paths);
        CHECK(stop_of(gates) == stop.gate);
        for (const GateReport& gate : gates) {
            if (gate.gate == stop.gate) {
                CHECK(gate.code == stop.code);
                CHECK_FALSE(gate.found.empty());
                CHECK_FALSE(gate.hint.empty());
            }
        }
    }
}

TEST_CASE("decision: every code of plugins in docs/errors.md has its gate, or refuses no file") {
    // Of a call, of a place or of a command; a file with them may be used.
    const std::set<std::string> others = {"plugin/apply-failed",
                                          "plugin/check-failed",
                                          "plugin/configure-failed",
                                          "plugin/create-failed",
                                          "plugin/environment-ignored",
                                          "plugin/no-templates",
                                          "plugin/not-installed",
                                          "plugin/path-ignored",
                                          "plugin/unknown",
                                          "plugin/unknown-id"};
    const char* root = std::getenv("TOPRESS_TEST_SOURCE_DIR");
    REQUIRE(root != nullptr);
    const std::string page = read_file(std::string(root) + "/docs/errors.md");
    const TemporaryFolder folder;
    const SearchPaths paths = places({folder.take("good", "good")});
    CatalogEntry entry = find_plugins(paths, fixture_host_fingerprint()).entries.at(0);
    entry.verdict = Verdict::Refused;
    std::size_t gates = 0;
    const std::string start = "\n### `plugin/";
    for (std::size_t at = page.find(start); at != std::string::npos;
         at = page.find(start, at + 1)) {
        const std::size_t begin = at + 6;
        const std::string code = page.substr(begin, page.find('`', begin) - begin);
        CAPTURE(code);
        CHECK(gate_of(code).empty() == others.contains(code));
        if (!gate_of(code).empty()) {
            entry.refusal.code = code;
            const auto reports = explain(entry, paths);
            const auto stop = std::ranges::find(reports, code, &GateReport::code);
            REQUIRE(stop != reports.end());
            CHECK(stop->gate == gate_of(code));
            ++gates;
        }
    }
    CHECK(gates == 33);
}

TEST_CASE("decision: place, rules, id and techniques stop in their turn") {
    const TemporaryFolder folder;
    folder.take("good", "a/good");
    folder.take("good", "b/good");
    folder.take("takes_technique", "b/takes");
    const fs::path open = folder.take("fails_in_apply", "b/open");
    REQUIRE(::chmod(open.c_str(), 0666) == 0);
    folder.take("cancels_in_apply", "b/denied");
    SearchPaths paths = places({folder.path() / "a", folder.path() / "b"});
    paths.rules.file = "config.toml";
    paths.rules.deny = {{"org.topress.fixture.cancels-in-apply", "", {"config.toml", 3, 1, 0}}};
    const Catalog catalog = find_plugins(paths, fixture_host_fingerprint());
    const auto gate_of = [&](const std::string& file) {
        const auto found = find_entries(catalog, (folder.path() / file).string());
        REQUIRE(found.size() == 1);
        return stop_of(explain(*found[0], paths));
    };
    CHECK(gate_of("a/good.so").empty());
    CHECK(gate_of("b/good.so") == "id");
    CHECK(gate_of("b/takes.so") == "techniques");
    CHECK(gate_of("b/open.so") == "place");
    CHECK(gate_of("b/denied.so") == "rules");
}

TEST_CASE("decision: the probe is the last gate") {
    const TemporaryFolder folder;
    const SearchPaths paths = places({folder.take("good", "good")});
    const Catalog catalog = find_plugins(paths, fixture_host_fingerprint());
    ProbeVerdict crash;
    crash.refusal = Diagnostic{};
    crash.refusal->code = "plugin/probe-crashed";
    CHECK(stop_of(explain(catalog.entries.at(0), paths, crash)) == "probe");
    const auto passed = explain(catalog.entries.at(0), paths, ProbeVerdict{});
    CHECK(passed.back().outcome == GateOutcome::Passed);
    CHECK(explain(catalog.entries.at(0), paths).back().outcome == GateOutcome::NotReached);
}

TEST_CASE("decision: entries are found by plugin id, technique id and file") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "a/good");
    folder.take("good", "b/good");
    const Catalog catalog = find_plugins(places({folder.path() / "a", folder.path() / "b"}),
                                         fixture_host_fingerprint());
    CHECK(find_entries(catalog, "org.topress.fixture.good").size() == 2);
    CHECK(find_entries(catalog, "fixture.good").size() == 2);
    CHECK(find_entries(catalog, file.string()).size() == 1);
    CHECK(find_entries(catalog, "org.topress.fixture.god").empty());
    CHECK(nearest_id(catalog, "org.topress.fixture.god") == "org.topress.fixture.good");
    CHECK_FALSE(nearest_id(catalog, "zzz").has_value());
}
