// Exceptions that end an operation, and the exit statuses of the program.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace topress {

/// Exit status of the program; part of the command line contract (docs/cli.md).
enum class ExitStatus : int {
    Done = 0,
    RunFailed = 1,
    Usage = 2,
    Configuration = 3,
    Plugin = 4,
    NoValidOrder = 5,
    Device = 6,
    Internal = 70,
    Interrupted = 130,
};

/// The exit status that belongs to a diagnostic code, by its area ("config/..." -> Configuration).
[[nodiscard]] ExitStatus exit_status_of(std::string_view code);

/// An environment error (file, device, memory, plugin) that ends the current operation.
/// `code` is "area/kebab-name", stable; `where` names a file, offset, stage or node; `hint` is an
/// action the reader can take. All but code and message may be empty.
class Error : public std::runtime_error {
  public:
    Error(std::string code,
          const std::string& message,
          std::string where = {},
          std::string hint = {})
        : std::runtime_error(message),
          code_(std::move(code)),
          where_(std::move(where)),
          hint_(std::move(hint)) {}

    [[nodiscard]] const std::string& code() const noexcept { return code_; }

    [[nodiscard]] const std::string& where() const noexcept { return where_; }

    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

  private:
    std::string code_;
    std::string where_;
    std::string hint_;
};

/// Throws Error{internal/assertion} with file and line: a bug of ours, never a mistake of the user.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace topress

#define TOPRESS_ASSERT(expression)       \
    ((expression) ? static_cast<void>(0) \
                  : ::topress::assertion_failed(#expression, __FILE__, __LINE__))
