// What is told to the user about a mistake: code, message, place, notes, hint; collected, then
// shown together.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace topress {

enum class Severity : std::uint8_t { Note, Info, Warning, Error };

/// A place in a text file; line and column are 1-based, 0 means unknown.
struct Location {
    std::string file;
    int line = 0;
    int column = 0;
    int length = 0;  ///< characters to underline, 0 = one
};

/// Further information, with or without a place of its own.
struct DiagnosticNote {
    std::string message;
    Location location;
};

/// One finding. `code` is "area/kebab-name" and has a section in docs/errors.md.
struct Diagnostic {
    Severity severity = Severity::Error;
    std::string code;
    std::string message;  ///< lower case, no final period, offending value in quotes
    Location location;
    std::vector<DiagnosticNote> notes;
    std::string hint;  ///< one action
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(const Diagnostics& diagnostics);

/// Thrown where an operation cannot go on because of collected user errors.
/// The exit status is that of the first error.
class DiagnosticError : public std::runtime_error {
  public:
    explicit DiagnosticError(Diagnostics diagnostics);

    [[nodiscard]] const Diagnostics& diagnostics() const noexcept { return diagnostics_; }

    [[nodiscard]] ExitStatus status() const noexcept;

  private:
    Diagnostics diagnostics_;
};

/// The diagnostic as text: header, "  --> file:line:col", the source line with a caret, notes,
/// hint. Reads the source file to quote the line; a file that cannot be read is not quoted.
/// `colour` adds ANSI colour to the header only.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, bool colour = false);

/// An exception as one diagnostic (severity error): message, where and hint are carried over.
[[nodiscard]] Diagnostic to_diagnostic(const Error& error);

}  // namespace topress
