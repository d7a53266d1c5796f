// A spinning thread takes the processor from the one it waits for as soon as anything else runs
// (docs/decisions/0009).
#include "cli/openmp.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace topress::cli {

namespace {

// Starting again costs 0.2 s, which is half of `plugin list`.
bool computes(char** argv) {
    constexpr std::array<std::string_view, 4> kCommands = {"run", "eval", "worker", "check"};
    for (char** argument = argv + 1; *argv != nullptr && *argument != nullptr; ++argument) {
        if (std::find(kCommands.begin(), kCommands.end(), *argument) != kCommands.end()) {
            return true;
        }
    }
    return false;
}

}  // namespace

void let_waiting_threads_sleep(char** argv) {
    if (!computes(argv) || std::getenv("OMP_WAIT_POLICY") != nullptr ||
        std::getenv("GOMP_SPINCOUNT") != nullptr) {
        return;
    }
    if (setenv("OMP_WAIT_POLICY", "passive", 0) == 0) {
        execv("/proc/self/exe", argv);
    }
}

}  // namespace topress::cli
