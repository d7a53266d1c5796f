// What belongs to the whole process and that a plugin has no business changing.
#pragma once

#include "pipeline/global_state.hpp"
#include "plugin/process_state.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace topress::conformance {

/// A snapshot of LibTorch's settings and of those that plugin::ProcessState knows.
class ProcessWatch {
  public:
    ProcessWatch() : global_(pipeline::read_global_state()) {}

    /// What differs now: "the gradient mode", "current folder /".
    [[nodiscard]] std::vector<std::string> moved() const;

  private:
    pipeline::GlobalState global_;
    plugin::ProcessState process_;
};

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
