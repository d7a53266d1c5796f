// What a plugin may not change: found, named and put back.
#include "plugin/process_state.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

#include <cfloat>
#include <clocale>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <sys/stat.h>
#include <thread>

using namespace topress;
using namespace topress::plugin;

namespace {

std::string found_by(const ProcessState& state) {
    std::string text;
    for (const ProcessChange& change : state.changes()) {
        text += change.found + ";";
    }
    return text;
}

}  // namespace

TEST_CASE("process state: nothing is found where nothing happened") {
    const ProcessState state;
    CHECK(found_by(state).empty());
    CHECK_FALSE(state.restore("doing nothing"));
}

TEST_CASE("process state: everything is found and put back, the environment is only found") {
    const std::filesystem::path before = std::filesystem::current_path();
    const test::TemporaryFolder folder;
    {
        const ProcessState state;
        std::filesystem::current_path(folder.path());
        ::umask(::umask(0) ^ 0011);
        std::signal(SIGUSR1, SIG_IGN);
        ::setenv("TOPRESS_PROCESS_STATE_TEST", "1", 1);
        const std::string found = found_by(state);
        CHECK(found.find("current folder " + folder.path().string()) != std::string::npos);
        CHECK(found.find("file mode mask") != std::string::npos);
        CHECK(found.find("USR1") != std::string::npos);
        CHECK(found.find("TOPRESS_PROCESS_STATE_TEST") != std::string::npos);
        const auto refusal = state.restore("the test");
        REQUIRE(refusal.has_value());
        CHECK(refusal->code == "plugin/changes-process-state");
        CHECK(refusal->found.find("TOPRESS_PROCESS_STATE_TEST") == std::string::npos);
        CHECK(found_by(state) == "the environment variable TOPRESS_PROCESS_STATE_TEST;");
        CHECK_FALSE(state.restore("the test"));
    }
    ::unsetenv("TOPRESS_PROCESS_STATE_TEST");
    CHECK(std::filesystem::current_path() == before);
}

TEST_CASE("process state: only threads that were not there before are new") {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_over = false;
    const auto wait = [&] {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return is_over; });
    };
    std::thread old(wait);
    const std::set<int> before = thread_numbers();
    CHECK(before.size() >= 2);
    CHECK_FALSE(find_new_threads(before, "doing nothing"));
    std::thread young(wait);
    const auto refusal = find_new_threads(before, "the test");
    {
        const std::lock_guard lock(mutex);
        is_over = true;
    }
    changed.notify_all();
    old.join();
    young.join();
    REQUIRE(refusal.has_value());
    CHECK(refusal->code == "plugin/changes-process-state");
    CHECK(refusal->found == "1 new thread");
}
