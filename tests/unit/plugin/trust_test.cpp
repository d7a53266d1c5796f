// Who could have changed a file: permissions, owners, links; injected users, and real ones as root.
#include "plugin/trust.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace topress;
using namespace topress::plugin;
using namespace topress::plugin::test;
namespace fs = std::filesystem;

namespace {

std::string code_of(const fs::path& file, TrustPolicy policy = TrustPolicy::of_process()) {
    const TrustVerdict verdict = TrustChecker(std::move(policy)).check_file(file);
    return verdict.refusal            ? verdict.refusal->code
           : verdict.resolved.empty() ? "nowhere"
                                      : "trusted";
}

void set_mode(const fs::path& path, mode_t mode) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

Catalog find_in(const std::vector<fs::path>& folders) {
    SearchInputs inputs;
    inputs.command_line = folders;
    return find_plugins(make_search_paths(inputs), fixture_host_fingerprint());
}

}  // namespace

TEST_CASE("trust: a file of one's own in a folder of one's own") {
    const TemporaryFolder folder;
    CHECK(code_of(folder.take("good", "a/b/plugin")) == "trusted");
    CHECK(code_of(folder.path() / "gone.so") == "nowhere");
}

TEST_CASE("trust: what others can write is refused, file and folder") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "a/b/plugin");
    for (const mode_t mode : {0666U, 0602U}) {
        set_mode(file, mode);
        CHECK(code_of(file) == "plugin/writable-by-others");
    }
    set_mode(file, 0644);
    for (const fs::path& above : {folder.path() / "a/b", folder.path() / "a"}) {
        CAPTURE(above);
        set_mode(above, 0777);
        CHECK(code_of(file) == "plugin/writable-by-others");
        set_mode(above, 0755);
    }
    CHECK(code_of(file) == "trusted");
}

TEST_CASE("trust: a sticky folder that all may write is right above a plugin folder, not for it") {
    const TemporaryFolder folder;
    const fs::path deep = folder.take("good", "sticky/own/plugin");
    const fs::path direct = folder.take("good", "sticky/plugin");
    set_mode(folder.path() / "sticky", 01777);
    CHECK(code_of(deep) == "trusted");
    CHECK(code_of(direct) == "plugin/writable-by-others");
    const auto refusal = TrustChecker(TrustPolicy::of_process()).check_file(direct).refusal;
    REQUIRE(refusal.has_value());
    CHECK(refusal->hint.find("mkdir") != std::string::npos);
    CHECK(refusal->found == "mode 1777");
}

TEST_CASE("trust: a group counts as others unless nobody else is in it") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "plugin");
    set_mode(file, 0664);
    TrustPolicy policy = TrustPolicy::of_process();
    policy.is_private_group = [](gid_t) { return false; };
    CHECK(code_of(file, policy) == "plugin/writable-by-others");
    policy.is_private_group = [](gid_t) { return true; };
    CHECK(code_of(file, policy) == "trusted");
}

TEST_CASE("trust: files of nobody who is trusted are foreign") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "plugin");
    TrustPolicy policy = TrustPolicy::of_process();
    policy.owners.clear();
    CHECK(code_of(file, policy) == "plugin/foreign-owner");
}

TEST_CASE("trust: a file, folder or link that really belongs to another user is foreign") {
    if (::geteuid() != 0) {
        std::puts("[SKIP] only root can give files away");
        return;
    }
    constexpr uid_t kSomebody = 54321;
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "a/plugin");
    REQUIRE(::chown(file.c_str(), kSomebody, kSomebody) == 0);
    CHECK(code_of(file) == "plugin/foreign-owner");
    REQUIRE(::chown(file.c_str(), 0, 0) == 0);
    REQUIRE(::chown((folder.path() / "a").c_str(), kSomebody, kSomebody) == 0);
    CHECK(code_of(file) == "plugin/foreign-owner");
    REQUIRE(::chown((folder.path() / "a").c_str(), 0, 0) == 0);
    fs::create_symlink(file, folder.path() / "link.so");
    CHECK(code_of(folder.path() / "link.so") == "trusted");
    REQUIRE(::lchown((folder.path() / "link.so").c_str(), kSomebody, kSomebody) == 0);
    CHECK(code_of(folder.path() / "link.so") == "plugin/foreign-owner");
}

TEST_CASE("trust: every link is followed, and the places of its target count") {
    const TemporaryFolder folder;
    const fs::path file = folder.take("good", "open/plugin");
    fs::create_directory(folder.path() / "own");
    fs::create_symlink("../open", folder.path() / "own/folder");
    fs::create_symlink(folder.path() / "own/folder/plugin.so", folder.path() / "own/link.so");
    CHECK(code_of(folder.path() / "own/link.so") == "trusted");
    CHECK(code_of(folder.path() / "own/folder/plugin.so") == "trusted");
    set_mode(folder.path() / "open", 0777);
    CHECK(code_of(folder.path() / "own/link.so") == "plugin/writable-by-others");
    CHECK(code_of(folder.path() / "own/folder/plugin.so") == "plugin/writable-by-others");
}

TEST_CASE("trust: links in a circle lead nowhere") {
    const TemporaryFolder folder;
    fs::create_symlink(folder.path() / "b.so", folder.path() / "a.so");
    fs::create_symlink(folder.path() / "a.so", folder.path() / "b.so");
    CHECK(code_of(folder.path() / "a.so") == "nowhere");
}

TEST_CASE("trust: a link out of the plugin folders is refused, one between them is not") {
    const TemporaryFolder folder;
    const fs::path outside = folder.take("good", "outside/good");
    fs::create_directory(folder.path() / "plugins");
    fs::create_symlink(outside, folder.path() / "plugins/good.so");
    const Catalog alone = find_in({folder.path() / "plugins"});
    REQUIRE(alone.entries.size() == 1);
    CHECK(alone.entries[0].refusal.code == "plugin/link-outside");
    CHECK(note_of(alone.entries[0].refusal, "found").find(outside.string()) != std::string::npos);
    const Catalog both = find_in({folder.path() / "plugins", folder.path() / "outside"});
    REQUIRE(both.entries.size() == 1);
    CHECK(both.entries[0].is_active());
    // Named itself, the link is what the user chose.
    CHECK(find_in({folder.path() / "plugins/good.so"}).entries.at(0).is_active());
}

TEST_CASE("trust: from a folder that others can write no plugin is taken, and that is told") {
    const TemporaryFolder folder;
    folder.take("good", "plugins/good");
    set_mode(folder.path() / "plugins", 0777);
    const Catalog catalog = find_in({folder.path() / "plugins"});
    CHECK(catalog.entries.empty());
    REQUIRE(catalog.diagnostics.size() == 1);
    CHECK(catalog.diagnostics[0].code == "plugin/writable-by-others");
    CHECK(catalog.diagnostics[0].severity == Severity::Warning);
    CHECK(catalog.diagnostics[0].hint.find("chmod go-w") != std::string::npos);
}

TEST_CASE("trust: one bad file does not take the others with it") {
    const TemporaryFolder folder;
    folder.take("good", "good");
    set_mode(folder.take("fails_in_apply", "bad"), 0666);
    const Catalog catalog = find_in({folder.path()});
    CHECK(catalog.technique_ids() == std::vector<std::string>{"fixture.good"});
    const CatalogEntry* refused = catalog.find_plugin("org.topress.fixture.fails-in-apply");
    REQUIRE(refused != nullptr);
    CHECK(refused->refusal.code == "plugin/writable-by-others");
}

TEST_CASE("trust: a pipe named like a library is refused, not waited for") {
    const TemporaryFolder folder;
    REQUIRE(::mkfifo((folder.path() / "pipe.so").c_str(), 0600) == 0);
    const Catalog catalog = find_in({folder.path()});
    REQUIRE(catalog.entries.size() == 1);
    CHECK(catalog.entries[0].refusal.code == "plugin/not-elf");
}
