// Facts about child processes: what comes back, every limit, and that nothing is left behind.
#include "base/child_process.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using topress::ChildOptions;
using topress::ChildResult;
using topress::run_child;
using End = topress::ChildResult::End;

namespace {

ChildOptions shell(const std::string& script) {
    ChildOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", script};
    options.grace = options.timeout_grace = std::chrono::milliseconds(200);
    return options;
}

/// "R", "S", "Z".. of a process; empty if there is none of this number.
std::string state_of(pid_t process) {
    try {
        const std::string stat = topress::read_file("/proc/" + std::to_string(process) + "/stat");
        return stat.substr(stat.rfind(')') + 2, 1);
    } catch (const topress::Error&) {
        return {};
    }
}

/// A killed process ends within a moment; whether somebody has reaped it is not our business.
bool has_gone(pid_t process) {
    for (int attempt = 0; attempt < 200; ++attempt) {
        const std::string state = state_of(process);
        if (state.empty() || state == "Z") {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

pid_t number_in(const std::filesystem::path& file) {
    return static_cast<pid_t>(std::stol(topress::read_file(file)));
}

}  // namespace

TEST_CASE("child_process: output, errors and status come back") {
    const ChildResult result = run_child(shell("echo one; echo two >&2; printf three; exit 7"));
    CHECK(result.end == End::Exited);
    CHECK(result.code == 7);
    CHECK(result.signal == 0);
    CHECK(result.output == "one\nthree\n");
    CHECK(result.error_tail == "two\n");
}

TEST_CASE("child_process: arguments arrive as they are") {
    ChildOptions options;
    options.program = "/usr/bin/printf";
    options.arguments = {"%s|", "with space", "", "$HOME \"'*"};
    CHECK(run_child(options).output == "with space||$HOME \"'*|\n");
}

TEST_CASE("child_process: lines are handed out while the child runs") {
    std::vector<std::string> lines;
    ChildOptions options = shell("echo first; exec sleep 20");
    options.on_line = [&](std::string_view line) { lines.emplace_back(line); };
    options.cancelled = [&] { return !lines.empty(); };
    const ChildResult result = run_child(options);
    CHECK(lines == std::vector<std::string>{"first"});
    CHECK(result.end == End::Cancelled);
    CHECK(result.output.empty());
    CHECK(result.seconds < 10);
}

TEST_CASE("child_process: output larger than a pipe arrives whole") {
    const ChildResult result = run_child(shell("head -c 1000000 /dev/zero | tr '\\0' x"));
    CHECK(result.output.size() == 1000001);
}

TEST_CASE("child_process: the last twenty lines of standard error are kept") {
    const ChildResult result = run_child(shell("seq 1 50 >&2"));
    CHECK(result.error_tail.starts_with("31\n"));
    CHECK(result.error_tail.ends_with("50\n"));
}

TEST_CASE("child_process: a signal is told from an exit") {
    const ChildResult result = run_child(shell("kill -SEGV $$"));
    CHECK(result.end == End::Signalled);
    CHECK(result.signal == SIGSEGV);
    CHECK(topress::signal_name(result.signal) == "SIGSEGV");
    CHECK(topress::signal_name(999) == "signal 999");
}

TEST_CASE("child_process: a time limit ends a child that ignores the polite signal") {
    ChildOptions options = shell("trap '' TERM; while :; do :; done");
    options.timeout = std::chrono::milliseconds(100);
    const ChildResult result = run_child(options);
    CHECK(result.end == End::TimedOut);
    CHECK(result.signal == SIGKILL);
    CHECK(result.seconds < 10);
}

TEST_CASE("child_process: a child that heeds the polite signal ends in its own way") {
    ChildOptions options = shell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    bool is_ready = false;
    options.grace = std::chrono::seconds(20);
    options.on_line = [&](std::string_view) { is_ready = true; };
    options.cancelled = [&] { return is_ready; };
    const ChildResult result = run_child(options);
    CHECK(result.end == End::Cancelled);
    CHECK(result.code == 3);
}

TEST_CASE("child_process: a child above its memory limit is killed") {
    // awk keeps a string that doubles: far above the limit within a second
    ChildOptions options = shell("exec awk 'BEGIN { s = \"x\"; while (1) s = s s }'");
    options.memory_limit_bytes = std::uint64_t{64} << 20;
    options.timeout = std::chrono::seconds(20);
    CHECK(run_child(options).end == End::MemoryExceeded);
    ChildOptions modest = shell("echo fine");
    modest.memory_limit_bytes = std::uint64_t{64} << 20;
    CHECK(run_child(modest).end == End::Exited);
}

TEST_CASE("child_process: what the child left running is killed with it") {
    const TemporaryFolder folder;
    const std::string file = (folder / "pid").string();
    const ChildResult result = run_child(shell("sleep 100 & echo $! > '" + file + "'"));
    CHECK(result.end == End::Exited);
    CHECK(has_gone(number_in(file)));
}

TEST_CASE("child_process: a throwing callback kills the child and goes on") {
    const TemporaryFolder folder;
    const std::string file = (folder / "pid").string();
    ChildOptions options = shell("echo $$ > '" + file + "'; echo line; exec sleep 100");
    options.on_line = [](std::string_view) { throw std::runtime_error("stop"); };
    CHECK_THROWS_AS(static_cast<void>(run_child(options)), std::runtime_error);
    CHECK(has_gone(number_in(file)));
}

TEST_CASE("child_process: nothing but the standard streams is open in the child") {
    constexpr int kLeaked = 77;
    const int opened = ::open("/dev/null", O_RDONLY);
    REQUIRE(::dup2(opened, kLeaked) == kLeaked);  // without O_CLOEXEC
    const ChildResult result = run_child(shell("for i in /proc/$$/fd/*; do echo ${i##*/}; done"));
    ::close(kLeaked);
    ::close(opened);
    CHECK(result.output.find("\n77\n") == std::string::npos);
    CHECK(result.output.starts_with("0\n1\n2\n"));
}

TEST_CASE("child_process: standard input is empty") {
    CHECK(run_child(shell("cat; echo done")).output == "done\n");
}

TEST_CASE("child_process: the child dies with its parent, even one that is killed hard") {
    const TemporaryFolder folder;
    const std::string file = (folder / "pid").string();
    const pid_t parent = ::fork();
    if (parent == 0) {
        ChildOptions options = shell("echo $$ > '" + file + "'; echo ready; exec sleep 100");
        options.on_line = [](std::string_view) { ::kill(::getpid(), SIGKILL); };
        static_cast<void>(run_child(options));
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(parent, &status, 0) == parent);
    REQUIRE(WIFSIGNALED(status));
    CHECK(has_gone(number_in(file)));
}

TEST_CASE("child_process: a program that is not there says so") {
    ChildOptions options;
    options.program = "/no/such/program";
    try {
        static_cast<void>(run_child(options));
        FAIL("it ran");
    } catch (const topress::Error& error) {
        CHECK(error.code() == "process/cannot-start");
        CHECK(std::string(error.what()).find("No such file") != std::string::npos);
    }
}

TEST_CASE("child_process: many at a time from several threads") {
    std::vector<std::thread> threads;
    std::vector<int> wrong(4, 0);
    for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
        threads.emplace_back([thread, &wrong] {
            for (int i = 0; i < 10; ++i) {
                const std::string word = std::to_string(thread) + "-" + std::to_string(i);
                wrong[thread] += run_child(shell("echo " + word)).output == word + "\n" ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("child_process: the running program is found") {
    CHECK(topress::own_program().filename() == "base_test");
}

TEST_CASE("child_process: a function runs in a fork with streams and limits of its own") {
    ChildOptions options;
    int here = 1;
    options.body = [&here] {
        here = 2;
        std::puts("from the fork");
        return 5;
    };
    const ChildResult result = run_child(options);
    CHECK(result.end == End::Exited);
    CHECK(result.code == 5);
    CHECK(result.output == "from the fork\n");
    CHECK(here == 1);

    options.body = []() -> int { throw std::runtime_error("out of the function"); };
    CHECK(run_child(options).signal == SIGABRT);

    options.body = [] {
        std::this_thread::sleep_for(std::chrono::seconds(20));
        return 0;
    };
    options.timeout = std::chrono::milliseconds(50);
    CHECK(run_child(options).end == End::TimedOut);
}

TEST_CASE("child_process: many children, so many at once and no more") {
    constexpr std::size_t kCount = 7;
    std::size_t running = 0;
    std::size_t most = 0;
    std::vector<std::string> outputs(kCount);
    const auto make = [&](std::size_t i) {
        most = std::max(most, ++running);
        return shell("sleep 0.05; echo " + std::to_string(i));
    };
    const auto ended = [&](std::size_t i, const ChildResult& result) {
        --running;
        outputs[i] = result.output;
    };
    topress::run_children(kCount, 3, make, ended);
    CHECK(most == 3);
    CHECK(running == 0);
    for (std::size_t i = 0; i < kCount; ++i) {
        CHECK(outputs[i] == std::to_string(i) + "\n");
    }
    topress::run_children(0, 3, make, ended);
    CHECK(running == 0);
}

TEST_CASE("child_process: what a listener throws ends all that still run") {
    const TemporaryFolder folder;
    const std::string file = (folder.path() / "number").string();
    const auto make = [&](std::size_t i) {
        return shell(i == 0 ? "while [ ! -s '" + file + "' ]; do sleep 0.01; done"
                            : "echo $$ > '" + file + "'; exec sleep 100");
    };
    const auto ended = [](std::size_t, const ChildResult&) { throw std::runtime_error("enough"); };
    CHECK_THROWS_AS(topress::run_children(2, 2, make, ended), std::runtime_error);
    CHECK(has_gone(number_in(file)));
}
