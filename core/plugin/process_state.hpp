// What belongs to the whole process and a plugin must leave as it found it: noticed and put back.
#pragma once

#include "plugin/refusal.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

namespace topress::plugin {

/// A snapshot of this thread's arithmetic, the current folder, the locale and the signal handlers.
/// Thread: the one that made it.
class ProcessState {
  public:
    ProcessState();
    ~ProcessState();
    ProcessState(const ProcessState&) = delete;
    ProcessState& operator=(const ProcessState&) = delete;

    /// Puts everything back. `when` says what happened meanwhile ("opening the library"). None:
    /// nothing had changed. Else plugin/changes-float-mode or plugin/changes-process-state.
    [[nodiscard]] std::optional<Refusal> restore(const std::string& when) const;

  private:
    static constexpr std::array<int, 9> kSignals = {
        SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE};

    // Each puts one kind back and gives what it was found changed to, or empty.
    [[nodiscard]] std::string restore_float_mode() const;
    [[nodiscard]] std::string restore_folder() const;
    [[nodiscard]] std::string restore_locale() const;
    [[nodiscard]] std::string restore_signals() const;

    std::uint64_t float_mode_ = 0;
    int folder_ = -1;
    std::string locale_;
    std::array<struct sigaction, kSignals.size()> signals_{};
};

}  // namespace topress::plugin
