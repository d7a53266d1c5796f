// Starts a program, or a function of this one, in a child process: fork, exec, pipes between.
#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace topress {

/// A file descriptor that is closed at the end.
class Descriptor {
  public:
    Descriptor() = default;

    explicit Descriptor(int number) : number_(number) {}

    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    ~Descriptor() { close(); }

    void close() {
        if (number_ >= 0) {
            ::close(std::exchange(number_, -1));
        }
    }

    [[nodiscard]] int number() const { return number_; }

    [[nodiscard]] bool is_open() const { return number_ >= 0; }

  private:
    int number_ = -1;
};

/// A child that runs its program.
struct StartedProgram {
    pid_t process = -1;  ///< leads a process group of the same number
    Descriptor output;   ///< standard output, read without blocking
    Descriptor error;    ///< standard error, likewise
};

/// Throws Error{process/cannot-start}.
[[nodiscard]] StartedProgram start_program(const std::filesystem::path& program,
                                           const std::vector<std::string>& arguments);

/// Runs `body` in a fork of this program, which ends as by exit(body()); standard streams as of a
/// program. Saves what starting a program costs. Throws: Error{process/cannot-start}.
/// Requires: this process has one thread.
[[nodiscard]] StartedProgram start_function(const std::function<int()>& body);

/// process/cannot-start with the reason `number` (errno).
[[nodiscard]] Error cannot_start(const std::filesystem::path& program, int number);

}  // namespace topress
