// The folder of finished stages: found again, bounded, shared, and never believed when damaged.
#include "pipeline/stage_cache.hpp"

#include "network/serialize.hpp"
#include "pipeline/run_cache.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <thread>

using namespace topress;
using namespace topress::pipeline;

namespace {

namespace fs = std::filesystem;

const std::string kKey(32, 'a');
const std::string kOther(32, 'b');

CacheEntry entry_of(const std::string& key) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = "check/no-effect";
    finding.message = "for the test";
    return {key,
            1700000000,
            "0.0.0",
            {test::small_network(), test::full_row(), {finding}},
            {{"deep/notes.txt", "kept\n"}}};
}

/// A cache in a temporary folder, and what it warned of.
struct Cache {
    explicit Cache(std::uintmax_t limit_bytes = 1U << 30U)
        : cache({folder.path() / "stages", limit_bytes},
                [this](const Diagnostic& warning) { warnings.push_back(warning); }) {}

    [[nodiscard]] fs::path file(const std::string& key) const {
        return folder.path() / "stages" / (key + ".stage");
    }

    test::TemporaryFolder folder;
    Diagnostics warnings;
    StageCache cache;
};

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

void set_last_used(const fs::path& file, std::time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("stage cache: an entry comes back under its key with all it had") {
    Cache at;
    const CacheEntry entry = entry_of(kKey);
    at.cache.store(entry);
    const auto found = at.cache.find(kKey);
    REQUIRE(found);
    CHECK(to_bytes(*found) == to_bytes(entry));
    CHECK(network::to_bytes(found->stage.network) == network::to_bytes(entry.stage.network));
    CHECK(to_json(found->stage) == to_json(entry.stage));
    CHECK(found->artefacts.at(0).bytes == "kept\n");
    CHECK_FALSE(at.cache.find(kOther));
    CHECK(at.warnings.empty());
    const auto head = read_head(at.file(kKey));
    REQUIRE(head);
    CHECK(head->program == "0.0.0");
    CHECK(to_json(head->row) == to_json(entry.stage.row));
}

TEST_CASE("stage cache: any damage is noticed, told and removed") {
    Cache at;
    at.cache.store(entry_of(kKey));
    const std::string whole = bytes_of(at.file(kKey));
    std::string bytes = whole;
    SUBCASE("a byte of the head") {
        bytes[3] ^= 1;
    }
    SUBCASE("a byte of the hash") {
        bytes[20] ^= 1;
    }
    SUBCASE("a byte of the description") {
        bytes[60] ^= 1;
    }
    SUBCASE("a byte of the network") {
        bytes[bytes.size() - 100] ^= 1;
    }
    SUBCASE("the last byte") {
        bytes.back() ^= 1;
    }
    SUBCASE("cut off") {
        bytes.resize(bytes.size() / 2);
    }
    SUBCASE("empty") {
        bytes.clear();
    }
    SUBCASE("longer") {
        bytes += "x";
    }
    write(at.file(kKey), bytes);
    CHECK_FALSE(at.cache.find(kKey));
    REQUIRE(at.warnings.size() == 1);
    CHECK(at.warnings[0].code == "cache/damaged");
    CHECK(at.warnings[0].severity == Severity::Warning);
    CHECK_FALSE(fs::exists(at.file(kKey)));
    at.cache.store(entry_of(kKey));
    CHECK(bytes_of(at.file(kKey)) == whole);
}

TEST_CASE("stage cache: an entry under another's name is damaged") {
    Cache at;
    at.cache.store(entry_of(kKey));
    fs::copy_file(at.file(kKey), at.file(kOther));
    CHECK_FALSE(at.cache.find(kOther));
    CHECK(at.warnings.size() == 1);
    CHECK(at.cache.find(kKey));
}

TEST_CASE("stage cache: no artefact leaves its folder") {
    for (const char* name : {"../evil", "/evil", "a/../../evil", "", ".."}) {
        CAPTURE(name);
        CacheEntry entry = entry_of(kKey);
        entry.artefacts = {{name, "x"}};
        CHECK_THROWS_AS(static_cast<void>(cache_entry_from_bytes(to_bytes(entry), kKey)), Error);
    }
}

TEST_CASE("stage cache: the longest unused entries make room, the new one stays") {
    Cache probe;
    probe.cache.store(entry_of(kKey));
    const std::uintmax_t one = fs::file_size(probe.file(kKey));
    Cache at(2 * one + one / 2);
    const std::string third(32, 'c');
    at.cache.store(entry_of(kKey));
    at.cache.store(entry_of(kOther));
    set_last_used(at.file(kKey), 1000);
    set_last_used(at.file(kOther), 2000);
    REQUIRE(at.cache.find(kKey));  // now kOther is the one that was not used for longest
    at.cache.store(entry_of(third));
    CHECK(fs::exists(at.file(kKey)));
    CHECK_FALSE(fs::exists(at.file(kOther)));
    CHECK(fs::exists(at.file(third)));
    CHECK(at.cache.list().size() == 2);
}

TEST_CASE("stage cache: an entry larger than the cache is not kept") {
    Cache at(1000);
    at.cache.store(entry_of(kKey));
    CHECK(at.cache.list().empty());
    CHECK(at.warnings.empty());
}

TEST_CASE("stage cache: what a teacher said comes back, and counts like a stage") {
    Cache at;
    const at::Tensor logits = at::randn({5, 2, 3}) * 7;
    CHECK_FALSE(at.cache.find_teacher_answers(kKey).defined());
    at.cache.store_teacher_answers(kKey, logits);
    at.cache.store(entry_of(kKey));  // of the same key: another file
    CHECK(at::equal(at.cache.find_teacher_answers(kKey), logits));
    CHECK_FALSE(at.cache.find_teacher_answers(kOther).defined());
    const auto entries = at.cache.list();
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].kind != entries[1].kind);
    CHECK(at.cache.verify().empty());

    const fs::path file = at.folder.path() / "stages" / (kKey + ".teacher");
    std::string bytes = bytes_of(file);
    SUBCASE("a number of it is another") {
        bytes[bytes.size() - 2] ^= 1;
        write(file, bytes);
    }
    SUBCASE("cut off") {
        bytes.resize(bytes.size() / 2);
        write(file, bytes);
    }
    SUBCASE("a stage is in its place") {
        fs::copy_file(at.file(kKey), file, fs::copy_options::overwrite_existing);
    }
    SUBCASE("it belongs to another teacher") {
        at.cache.store_teacher_answers(kOther, logits);
        fs::rename(at.folder.path() / "stages" / (kOther + ".teacher"), file);
    }
    CHECK_FALSE(at.cache.find_teacher_answers(kKey).defined());
    REQUIRE(at.warnings.size() == 1);
    CHECK(at.warnings[0].code == "cache/damaged");
    CHECK_FALSE(fs::exists(file));
    CHECK(at.cache.find(kKey));
}

TEST_CASE("stage cache: verify and clear know what teachers said") {
    Cache at;
    const fs::path file = at.folder.path() / "stages" / (kKey + ".teacher");
    at.cache.store_teacher_answers(kKey, at::zeros({4, 1, 2}));
    at.cache.store_teacher_answers(kOther, at::zeros({4, 1, 2}));
    write(file, "damaged");
    const auto damaged = at.cache.verify();
    REQUIRE(damaged.size() == 1);
    CHECK(damaged[0].key == kKey);
    CHECK(damaged[0].kind == EntryKind::Teacher);
    CHECK(at.cache.clear().size() == 1);
    CHECK(at.cache.list().empty());
}

TEST_CASE("stage cache: a teacher that said too much for a quarter of the cache is not kept") {
    Cache at(4000);
    at.cache.store_teacher_answers(kKey, at::zeros({125, 1, 2}));  // 1000 bytes
    CHECK(at.cache.list().size() == 1);
    at.cache.store_teacher_answers(kOther, at::zeros({126, 1, 2}));
    CHECK(at.cache.list().size() == 1);
    CHECK(at.warnings.empty());
}

TEST_CASE("stage cache: a folder that cannot be used is told once and costs nothing else") {
    const test::TemporaryFolder folder;
    fs::path place = folder.path() / "stages";
    SUBCASE("a file is in its place") {
        write(place, "x");
    }
    SUBCASE("below a file") {
        write(place, "x");
        place /= "deeper";
    }
    SUBCASE("others may write it") {
        fs::create_directory(place);
        REQUIRE(::chmod(place.c_str(), 0777) == 0);
    }
    Diagnostics warnings;
    StageCache cache({place, 1U << 30U},
                     [&](const Diagnostic& warning) { warnings.push_back(warning); });
    CHECK_FALSE(cache.is_usable());
    cache.store(entry_of(kKey));
    CHECK_FALSE(cache.find(kKey));
    CHECK_FALSE(cache.claim(kKey));
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].code == "cache/unusable");
    CHECK(warnings[0].severity == Severity::Warning);
}

TEST_CASE("stage cache: a folder that goes away is told once") {
    Cache at;
    fs::remove_all(at.folder.path() / "stages");
    at.cache.store(entry_of(kKey));
    at.cache.store(entry_of(kOther));
    CHECK_FALSE(at.cache.claim(kKey));
    REQUIRE(at.warnings.size() == 1);
    CHECK(at.warnings[0].code == "cache/unusable");
}

TEST_CASE("stage cache: verify finds the damaged ones, clear takes entries and nothing else") {
    Cache at;
    at.cache.store(entry_of(kKey));
    at.cache.store(entry_of(kOther));
    const fs::path foreign = at.folder.path() / "stages" / "thesis.stage";
    write(foreign, "not ours");
    write(at.file(kOther), "damaged");
    const auto damaged = at.cache.verify();
    REQUIRE(damaged.size() == 1);
    CHECK(damaged[0].key == kOther);
    CHECK(at.cache.clear().size() == 1);
    CHECK(at.cache.list().empty());
    CHECK(bytes_of(foreign) == "not ours");
}

TEST_CASE("stage cache: what killed programs left is removed once it is old") {
    Cache at;
    const fs::path half = at.folder.path() / "stages" / ("." + kKey + ".stage.123-0.tmp");
    const fs::path lock = at.folder.path() / "stages" / (kOther + ".lock");
    write(half, "half");
    write(lock, "123");
    at.cache.store(entry_of(kKey));
    CHECK(fs::exists(half));
    CHECK(fs::exists(lock));
    set_last_used(half, 1000);
    set_last_used(lock, 1000);
    at.cache.store(entry_of(kKey));
    CHECK_FALSE(fs::exists(half));
    CHECK_FALSE(fs::exists(lock));
}

TEST_CASE("stage cache: who asks second waits and takes what the first left") {
    Cache at;
    const StageCache::Listener ignore = [](const Diagnostic&) {};
    const CachePlace place{at.folder.path() / "stages", 1U << 30U};
    RunCache first(StageCache(place, ignore), {});
    RunCache second(StageCache(place, ignore), {});
    REQUIRE_FALSE(first.take(kKey, "stage", at.folder.path() / "one"));
    std::atomic<bool> is_done = false;
    std::optional<Checkpoint> taken;
    std::thread waiter([&] {
        taken = second.take(kKey, "stage", at.folder.path() / "two");
        is_done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    CHECK_FALSE(is_done);
    fs::create_directories(at.folder.path() / "one");
    write(at.folder.path() / "one" / "left.txt", "for the user");
    first.give(kKey, entry_of(kKey).stage, at.folder.path() / "one");
    waiter.join();
    REQUIRE(taken);
    CHECK(to_json(*taken) == to_json(entry_of(kKey).stage));
    CHECK(bytes_of(at.folder.path() / "two" / "left.txt") == "for the user");
}

TEST_CASE("stage cache: who waits can be stopped") {
    Cache at;
    const StageCache::Listener ignore = [](const Diagnostic&) {};
    const CachePlace place{at.folder.path() / "stages", 1U << 30U};
    RunCache first(StageCache(place, ignore), {});
    REQUIRE_FALSE(first.take(kKey, "stage", {}));
    int asked = 0;
    RunCache second(StageCache(place, ignore), [&] { return ++asked > 2; });
    try {
        static_cast<void>(second.take(kKey, "stage", {}));
        FAIL("did not stop");
    } catch (const Error& error) {
        CHECK(error.code() == "run/interrupted");
    }
}

TEST_CASE("stage cache: its place is that of the configuration, the environment, the user") {
    std::map<std::string, std::string> variables = {{"HOME", "/home/me"}};
    const plugin::UserEnvironment environment(
        [&](const char* name) -> const char* {
            const auto found = variables.find(name);
            return found == variables.end() ? nullptr : found->second.c_str();
        },
        false);
    config::CacheConfig config;
    CHECK(cache_place(config, environment).folder == "/home/me/.cache/topress/stages");
    CHECK(cache_place(config, environment).limit_bytes == 4000000000);
    variables["XDG_CACHE_HOME"] = "/caches";
    CHECK(cache_place(config, environment).folder == "/caches/topress/stages");
    variables["TOPRESS_STAGE_CACHE"] = "/named";
    CHECK(cache_place(config, environment).folder == "/named");
    config.directory = "/configured";
    CHECK(cache_place(config, environment).folder == "/configured");
    variables["TOPRESS_STAGE_CACHE"] = "off";
    CHECK(cache_place(config, environment).folder == "/configured");
    config.directory.clear();
    CHECK(cache_place(config, environment).folder.empty());
    variables.erase("TOPRESS_STAGE_CACHE");
    config.max_gb = 0;
    CHECK(cache_place(config, environment).folder.empty());
}
