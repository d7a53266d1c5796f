// Reading process-wide state on Linux.
#include "conformance/process_state.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace topress::conformance {

std::vector<std::string> ProcessWatch::moved() const {
    std::vector<std::string> moved;
    const auto note = [&moved](bool is_same, const char* what) {
        if (!is_same) {
            moved.emplace_back(what);
        }
    };
    const pipeline::GlobalState now = pipeline::read_global_state();
    note(global_.gradients == now.gradients, "the gradient mode");
    note(global_.default_type == now.default_type, "the default data type");
    note(global_.threads == now.threads, "the number of threads");
    note(global_.deterministic == now.deterministic, "the choice of deterministic algorithms");
    for (const plugin::ProcessChange& change : process_.changes()) {
        moved.push_back(change.found);
    }
    return moved;
}

std::size_t count_threads() {
    return plugin::thread_numbers().size();
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
