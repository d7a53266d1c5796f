// Probing: what the child meets, what is remembered, and a cache that is in no state to be used.
#include "plugin/probe.hpp"

#include "base/child_process.hpp"
#include "base/error.hpp"
#include "plugin/probe_cache.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>
#include <vector>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

ProbeSettings settings(const fs::path& cache) {
    ProbeSettings settings;
    settings.program = own_program().parent_path() / "probe_child";
    settings.arguments.clear();
    settings.cache = cache;
    settings.build = "this build";
    return settings;
}

// Proves that no child is started: there is none.
ProbeSettings without_child(ProbeSettings settings) {
    settings.program = "/no-such-program";
    return settings;
}

std::string code_of(const std::string& name, const ProbeSettings& settings) {
    const ProbeVerdict verdict = probe_library(fixture(name), settings);
    return verdict.refusal ? verdict.refusal->code : "passed";
}

void write(const fs::path& file, const std::string& text) {
    std::ofstream(file) << text;
}

std::vector<fs::path> verdict_files(const fs::path& cache) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache)) {
        if (entry.path().filename().string().starts_with("verdict-")) {
            files.push_back(entry.path());
        }
    }
    return files;
}

}  // namespace

TEST_CASE("probe: what a library does when it is opened has its code") {
    const ProbeSettings probe = settings({});
    CHECK(code_of("good", probe) == "passed");
    CHECK(code_of("crashes_when_opened", probe) == "plugin/probe-crashed");
    CHECK(code_of("crashes_at_exit", probe) == "plugin/probe-crashed");
    CHECK(code_of("exits_when_opened", probe) == "plugin/probe-exited");
    CHECK(code_of("init_fails", probe) == "plugin/init-failed");
    CHECK(code_of("missing_symbol", probe) == "plugin/missing-symbol");
    CHECK(code_of("prints_when_opened", probe) == "passed");
}

TEST_CASE("probe: a crash names the signal, the file and what to do") {
    const ProbeVerdict verdict = probe_library(fixture("crashes_when_opened"), settings({}));
    REQUIRE(verdict.refusal.has_value());
    CHECK(verdict.refusal->location.file == fixture("crashes_when_opened").string());
    CHECK(note_of(*verdict.refusal, "found") == "SIGSEGV");
    CHECK_FALSE(verdict.refusal->hint.empty());
}

TEST_CASE("probe: a library that never opens is given up in time, and tried again") {
    const TemporaryFolder folder;
    ProbeSettings probe = settings(folder.path() / "cache");
    probe.timeout = std::chrono::milliseconds(300);
    CHECK(code_of("never_opens", probe) == "plugin/probe-timeout");
    CHECK(verdict_files(folder.path() / "cache").empty());
}

TEST_CASE("probe: a library that passed is not opened again, wherever it lies") {
    const TemporaryFolder folder;
    const ProbeSettings probe = settings(folder.path() / "cache");
    const fs::path file = folder.take("good", "a/good");
    const ProbeVerdict first = probe_library(file, probe);
    CHECK_FALSE(first.refusal.has_value());
    CHECK_FALSE(first.is_remembered);
    CHECK(probe_library(file, without_child(probe)).is_remembered);
    CHECK(probe_library(folder.take("good", "b/copy"), without_child(probe)).is_remembered);
}

TEST_CASE("probe: other content or another host is probed again") {
    const TemporaryFolder folder;
    const ProbeSettings probe = settings(folder.path() / "cache");
    const fs::path file = folder.take("good", "good");
    (void)probe_library(file, probe);
    ProbeSettings other = without_child(probe);
    other.build = "another build";
    CHECK_THROWS_AS((void)probe_library(file, other), Error);
    fs::copy_file(fixture("crashes_when_opened"), file, fs::copy_options::overwrite_existing);
    const ProbeVerdict changed = probe_library(file, probe);
    REQUIRE(changed.refusal.has_value());
    CHECK(changed.refusal->code == "plugin/probe-crashed");
}

TEST_CASE("probe: a refusal is shown from memory, but tried again before it counts") {
    const TemporaryFolder folder;
    const ProbeSettings probe = settings(folder.path() / "cache");
    const fs::path file = folder.take("init_fails", "plugin");
    (void)probe_library(file, probe);
    CHECK(verdict_files(folder.path() / "cache").size() == 1);
    CHECK_THROWS_AS((void)probe_library(file, without_child(probe)), Error);
    const ProbeCache cache(probe.cache, probe.build);
    const auto known = cache.find(cache.key_of(file));
    REQUIRE(known.has_value());
    CHECK(known->is_remembered);
    REQUIRE(known->refusal.has_value());
    CHECK(known->refusal->code == "plugin/init-failed");
    CHECK(known->refusal->message.find("no such device") != std::string::npos);
}

TEST_CASE("probe: a file that has settled is not read again, and a listing knows its verdict") {
    const TemporaryFolder folder;
    const ProbeSettings probe = settings(folder.path() / "cache");
    const fs::path fresh = folder.take("good", "fresh");
    const fs::path settled = fixture("good");  // built seconds ago at least
    (void)probe_library(fresh, probe);
    const ProbeCache cache(probe.cache, probe.build);
    CHECK_FALSE(cache.find_known(fresh).has_value());
    (void)probe_library(settled, probe);
    const auto known = cache.find_known(settled);
    REQUIRE(known.has_value());
    CHECK_FALSE(known->refusal.has_value());
}

TEST_CASE("probe: a damaged, deleted or forbidden cache only costs time") {
    const TemporaryFolder folder;
    const fs::path cache = folder.path() / "cache";
    const ProbeSettings probe = settings(cache);
    const fs::path file = folder.take("good", "good");
    (void)probe_library(file, probe);
    for (const char* damage : {"", "{", "[1]", "{\"passed\": 7}", "{\"passed\": false}"}) {
        CAPTURE(damage);
        const auto entries = verdict_files(cache);
        REQUIRE(entries.size() == 1);
        write(entries[0], damage);
        const ProbeVerdict again = probe_library(file, probe);
        CHECK_FALSE(again.refusal.has_value());
        CHECK_FALSE(again.is_remembered);
    }
    fs::remove_all(cache);
    CHECK_FALSE(probe_library(file, probe).is_remembered);
    write(folder.path() / "file", "not a folder");
    CHECK_FALSE(probe_library(file, settings(folder.path() / "file")).refusal.has_value());
    CHECK_FALSE(probe_library(file, settings("/proc/no/cache")).refusal.has_value());
}

TEST_CASE("probe: a cache that others can write is not believed") {
    const TemporaryFolder folder;
    const fs::path cache = folder.path() / "cache";
    const fs::path file = folder.take("good", "good");
    (void)probe_library(file, settings(cache));
    CHECK((fs::status(cache).permissions() & fs::perms::others_all) == fs::perms::none);
    fs::permissions(cache, fs::perms::all);
    CHECK_FALSE(probe_library(file, settings(cache)).is_remembered);
}

TEST_CASE("probe: several at once agree") {
    const TemporaryFolder folder;
    const ProbeSettings probe = settings(folder.path() / "cache");
    const fs::path file = folder.take("good", "good");
    std::vector<int> passed(8, 0);
    std::vector<std::thread> threads;
    for (int& one : passed) {
        threads.emplace_back([&] { one = probe_library(file, probe).refusal.has_value() ? 0 : 1; });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(passed == std::vector<int>(8, 1));
    CHECK(probe_library(file, without_child(probe)).is_remembered);
}

TEST_CASE("probe: without a program to start there is an error, not a verdict") {
    CHECK_THROWS_AS((void)probe_library(fixture("good"), without_child(settings({}))), Error);
}
