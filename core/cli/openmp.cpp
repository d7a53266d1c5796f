// A spinning thread takes the processor from the one it waits for as soon as anything else runs
// (docs/decisions/0009).
#include "cli/openmp.hpp"

#include <cstdlib>
#include <unistd.h>

namespace topress::cli {

void let_waiting_threads_sleep(char** argv) {
    if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) {
        return;
    }
    if (setenv("OMP_WAIT_POLICY", "passive", 0) == 0) {
        execv("/proc/self/exe", argv);
    }
}

}  // namespace topress::cli
