// Refusal -> diagnostic or exception.
#include "plugin/refusal.hpp"

namespace topress::plugin {

Diagnostic to_diagnostic(const Refusal& refusal, const std::string& file) {
    Diagnostic diagnostic;
    diagnostic.code = refusal.code;
    diagnostic.message = refusal.message;
    diagnostic.location.file = file;
    diagnostic.hint = refusal.hint;
    const auto add = [&](const char* name, const std::string& text) {
        if (!text.empty()) {
            diagnostic.notes.push_back({std::string(name) + ": " + text, {}});
        }
    };
    add("found", refusal.found);
    add("expected", refusal.expected);
    add("rule", refusal.rule);
    return diagnostic;
}

Error to_error(const Refusal& refusal, const std::string& file) {
    std::string message = refusal.message;
    if (!refusal.found.empty()) {
        message += ": found " + refusal.found;
    }
    if (!refusal.expected.empty()) {
        message += ", expected " + refusal.expected;
    }
    return Error(refusal.code, message, file, refusal.hint);
}

}  // namespace topress::plugin
