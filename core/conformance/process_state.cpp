// Reading process-wide state on Linux.
#include "conformance/process_state.hpp"

#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace topress::conformance {
namespace {

namespace fs = std::filesystem;

std::map<int, const void*> read_handlers() {
    std::map<int, const void*> handlers;
    for (int number = 1; number < 32; ++number) {
        struct sigaction action{};
        if (::sigaction(number, nullptr, &action) == 0) {
            handlers[number] = reinterpret_cast<const void*>(action.sa_handler);
        }
    }
    return handlers;
}

std::map<std::string, std::string> read_environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::size_t equals = text.find('=');
        variables[text.substr(0, equals)] =
            equals == std::string::npos ? std::string() : text.substr(equals + 1);
    }
    return variables;
}

template <class Key, class Value>
void compare(const std::map<Key, Value>& before,
             const std::map<Key, Value>& after,
             const std::string& what,
             std::vector<std::string>& moved) {
    std::map<Key, Value> all = before;
    all.insert(after.begin(), after.end());
    for (const auto& [key, unused] : all) {
        const auto old = before.find(key);
        const auto now = after.find(key);
        const bool is_same =
            old != before.end() && now != after.end() && old->second == now->second;
        if (is_same) {
            continue;
        }
        if constexpr (std::is_same_v<Key, int>) {
            moved.push_back(what + " " + ::strsignal(key));
        } else {
            moved.push_back(what + " " + key);
        }
    }
}

}  // namespace

ProcessState read_process_state() {
    ProcessState state;
    state.global = pipeline::read_global_state();
    std::error_code error;
    state.current_folder = fs::current_path(error).string();
    const char* locale = std::setlocale(LC_ALL, nullptr);
    state.locale = locale != nullptr ? locale : "";
    state.umask = ::umask(0);
    ::umask(state.umask);
    state.signal_handlers = read_handlers();
    state.environment = read_environment();
    return state;
}

std::vector<std::string> moved_settings(const ProcessState& before, const ProcessState& after) {
    std::vector<std::string> moved;
    const auto note = [&moved](bool is_same, const char* what) {
        if (!is_same) {
            moved.emplace_back(what);
        }
    };
    const pipeline::GlobalState& old = before.global;
    const pipeline::GlobalState& now = after.global;
    note(old.gradients == now.gradients, "the gradient mode");
    note(old.default_type == now.default_type, "the default data type");
    note(old.threads == now.threads, "the number of threads");
    note(old.deterministic == now.deterministic, "the choice of deterministic algorithms");
    note(old.float_mode == now.float_mode, "the rounding or flush-to-zero mode of the processor");
    note(before.current_folder == after.current_folder, "the current directory");
    note(before.locale == after.locale, "the locale");
    note(before.umask == after.umask, "the file mode mask");
    compare(before.signal_handlers, after.signal_handlers, "the handler of", moved);
    compare(before.environment, after.environment, "the environment variable", moved);
    return moved;
}

std::size_t count_threads() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task")) {
        ++count;
    }
    return count;
}

bool threads_end(std::size_t most) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::seconds(2);
    while (count_threads() > most) {
        if (Clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

StandardOutputCapture::StandardOutputCapture() {
    std::fflush(stdout);
    saved_ = ::dup(STDOUT_FILENO);
    file_ = ::memfd_create("topress-standard-output", MFD_CLOEXEC);
    if (saved_ >= 0 && file_ >= 0) {
        ::dup2(file_, STDOUT_FILENO);
    }
}

StandardOutputCapture::~StandardOutputCapture() {
    std::fflush(stdout);
    if (saved_ >= 0) {
        ::dup2(saved_, STDOUT_FILENO);
        ::close(saved_);
    }
    if (file_ >= 0) {
        ::close(file_);
    }
}

std::string StandardOutputCapture::text() const {
    std::fflush(stdout);
    struct stat status{};
    if (file_ < 0 || ::fstat(file_, &status) != 0) {
        return {};
    }
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    const ssize_t count = ::pread(file_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

}  // namespace topress::conformance
