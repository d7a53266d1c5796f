// The one form in which a plugin is refused: what is wrong, found, expected, the rule, what to do.
#pragma once

#include "base/diagnostic.hpp"

#include <string>

namespace topress::plugin {

/// The decision against one file, before it becomes a diagnostic. Empty fields are left out.
struct Refusal {
    std::string code;
    std::string message;
    std::string found;
    std::string expected;
    std::string rule;
    std::string hint;
};

/// The refusal as a diagnostic at `file`, with "found: ...", "expected: ...", "rule: ..." as notes.
[[nodiscard]] Diagnostic to_diagnostic(const Refusal& refusal, const std::string& file);

/// The refusal as one exception message: "message: found ..., expected ...".
[[nodiscard]] Error to_error(const Refusal& refusal, const std::string& file);

}  // namespace topress::plugin
