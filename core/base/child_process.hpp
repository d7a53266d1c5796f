// Runs programs as children: lines of its output, a time limit, a memory limit, cancellation.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress {

struct ChildOptions {
    std::filesystem::path program;  ///< a path: PATH is not searched
    std::vector<std::string> arguments;
    /// Run in a fork of this program instead of `program`; its result is the exit status. Only in a
    /// program with one thread, and the child starts with what its parent has open.
    std::function<int()> body;
    std::chrono::milliseconds timeout{0};  ///< 0: no limit
    /// Resident bytes of the child itself, looked at every few milliseconds; 0: no limit. Address
    /// space cannot be limited instead: LibTorch reserves far more than it uses.
    std::uint64_t memory_limit_bytes = 0;
    std::function<bool()> cancelled;  ///< asked every few milliseconds; may be empty
    /// Lines of standard output, without their end; empty: they are collected in `output`.
    std::function<void(std::string_view line)> on_line;
    std::chrono::milliseconds grace{2000};          ///< between SIGTERM and SIGKILL when cancelled
    std::chrono::milliseconds timeout_grace{1000};  ///< the same after the timeout
};

struct ChildResult {
    enum class End { Exited, Signalled, TimedOut, Cancelled, MemoryExceeded };

    End end = End::Exited;
    int code = 0;            ///< exit status; 0 unless it exited
    int signal = 0;          ///< that ended it; 0 if it exited
    std::string output;      ///< first 16 MiB of standard output; empty with `on_line`
    std::string error_tail;  ///< last 20 lines of standard error
    double seconds = 0;
};

/// Starts the program and waits for its end. The child leads a process group of its own, has
/// nothing but standard streams open (input is empty), and dies with the calling thread. At a limit
/// and on cancellation the group gets SIGTERM, then SIGKILL; what the child left running is killed
/// too.
/// Throws: Error{process/cannot-start}; what a callback throws, after killing the child.
/// Thread: any; the program may have many.
[[nodiscard]] ChildResult run_child(const ChildOptions& options);

/// Runs `count` children, at most `at_once` at the same time. `make(i)` is asked when the turn
/// comes to the i-th, and may have nothing to start; `ended(i, result)` follows its end, in any
/// order. Both in the calling thread. Throws: as run_child(), after killing all that still run.
void run_children(std::size_t count,
                  std::size_t at_once,
                  const std::function<std::optional<ChildOptions>(std::size_t)>& make,
                  const std::function<void(std::size_t, const ChildResult&)>& ended);

/// The file of the running program. Throws Error{process/cannot-start}.
[[nodiscard]] std::filesystem::path own_program();

/// "SIGSEGV" for 11; "signal 99" for one without a name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace topress
