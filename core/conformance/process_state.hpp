// What belongs to the whole process and that a plugin has no business changing.
#pragma once

#include "pipeline/global_state.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace topress::conformance {

/// LibTorch's and the processor's settings, and those of the operating system.
struct ProcessState {
    pipeline::GlobalState global;
    std::string current_folder;
    std::string locale;
    unsigned umask = 0;
    std::map<int, const void*> signal_handlers;  ///< by signal number
    std::map<std::string, std::string> environment;
};

[[nodiscard]] ProcessState read_process_state();

/// One sentence part for each setting that differs: "the current directory".
[[nodiscard]] std::vector<std::string> moved_settings(const ProcessState& before,
                                                      const ProcessState& after);

/// Threads of this process.
[[nodiscard]] std::size_t count_threads();

/// Waits up to two seconds for the number of threads to come down to `most`.
[[nodiscard]] bool threads_end(std::size_t most);

/// Resident memory of this process.
[[nodiscard]] std::size_t resident_bytes();

/// Collects what is written to standard output while it lives; the output stays unseen.
class StandardOutputCapture {
  public:
    StandardOutputCapture();
    ~StandardOutputCapture();
    StandardOutputCapture(const StandardOutputCapture&) = delete;
    StandardOutputCapture& operator=(const StandardOutputCapture&) = delete;

    /// What was written so far.
    [[nodiscard]] std::string text() const;

  private:
    int saved_ = -1;
    int file_ = -1;
};

}  // namespace topress::conformance
