// What belongs to the whole process and a plugin must leave as it found it: noticed and put back.
#pragma once

#include "plugin/refusal.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace topress::plugin {

/// A setting of the process that is not as it was.
struct ProcessChange {
    enum class Kind { FloatMode, Folder, Locale, FileMask, Signal, Environment };

    Kind kind = Kind::Folder;
    std::string found;  ///< "current folder /", "a handler of its own for INT"
};

/// A snapshot of this thread's arithmetic, the current folder, the locale, the file mode mask, the
/// signal handlers and the environment. Thread: the one that made it.
class ProcessState {
  public:
    ProcessState();
    ~ProcessState();
    ProcessState(const ProcessState&) = delete;
    ProcessState& operator=(const ProcessState&) = delete;

    /// Everything that is different now; nothing is put back.
    [[nodiscard]] std::vector<ProcessChange> changes() const;

    /// Puts everything but the environment back. `when` says what happened meanwhile ("opening the
    /// library"). None: nothing but the environment had changed, which libraries beside plugins
    /// write to as well. Else plugin/changes-float-mode or plugin/changes-process-state.
    [[nodiscard]] std::optional<Refusal> restore(const std::string& when) const;

  private:
    static constexpr int kSignalEnd = 32;  ///< the real-time ones belong to threads

    void put_back() const;

    std::uint64_t float_mode_ = 0;
    int folder_ = -1;
    std::string locale_;
    unsigned file_mask_ = 0;
    std::array<struct sigaction, kSignalEnd> signals_{};
    std::map<std::string, std::string> environment_;
};

/// Numbers of the threads of this process.
[[nodiscard]] std::set<int> thread_numbers();

/// plugin/changes-process-state if there are threads that were not `before`; they go on.
[[nodiscard]] std::optional<Refusal> find_new_threads(const std::set<int>& before,
                                                      const std::string& when);

}  // namespace topress::plugin
