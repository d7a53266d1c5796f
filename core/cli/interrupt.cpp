// Signal handling: the handler only sets a flag.
#include "cli/interrupt.hpp"

#include <atomic>
#include <csignal>

namespace topress::cli {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void note_interrupt(int) {
    interrupted = true;
}

}  // namespace

void watch_interrupts() {
    struct sigaction action{};
    action.sa_handler = note_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool is_interrupted() {
    return interrupted;
}

}  // namespace topress::cli
