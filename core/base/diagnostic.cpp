// Rendering of diagnostics: header, place, quoted line with caret, notes, hint.
#include "base/diagnostic.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

namespace topress {

namespace {

constexpr std::size_t kLongestQuotedLine = 300;  // characters; a longer one is not quoted

struct SeverityLook {
    std::string_view name;
    std::string_view colour;  // ANSI: bold and a colour
};

SeverityLook look_of(Severity severity) {
    switch (severity) {
        case Severity::Note:
            return {"note", "\033[1;36m"};
        case Severity::Info:
            return {"info", "\033[1;34m"};
        case Severity::Warning:
            return {"warning", "\033[1;33m"};
        case Severity::Error:
            break;
    }
    return {"error", "\033[1;31m"};
}

std::string place_of(const Location& location) {
    std::string text = location.file;
    if (location.line > 0) {
        text.append(":").append(std::to_string(location.line));
        if (location.column > 0) {
            text.append(":").append(std::to_string(location.column));
        }
    }
    return text;
}

// Bytes that start a character: everything but UTF-8 continuation bytes.
std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

// Control characters could move the cursor or change colours, and a tab would displace the caret.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(),
        text.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; },
        ' ');
    return text;
}

std::optional<std::string> source_line(const Location& location) {
    std::error_code error;
    if (location.line <= 0 || !std::filesystem::is_regular_file(location.file, error)) {
        return std::nullopt;
    }
    std::ifstream stream(location.file);
    std::string line;
    for (int i = 0; i < location.line; ++i) {
        if (!std::getline(stream, line)) {
            return std::nullopt;
        }
    }
    if (!line.empty() && line.back() == '\r') {
        line.pop_back();
    }
    if (line.empty() || count_characters(line) > kLongestQuotedLine) {
        return std::nullopt;
    }
    return printable(line);
}

std::string underline(const Location& location, const std::string& line) {
    const std::size_t width = count_characters(line);
    const auto start = static_cast<std::size_t>(location.column - 1);
    const std::size_t room = width > start ? width - start : 1;
    const auto wanted = static_cast<std::size_t>(std::max(location.length, 1));
    return std::string(start, ' ') + std::string(std::min(wanted, room), '^');
}

std::string quote(const Location& location) {
    const auto line = source_line(location);
    if (!line) {
        return {};
    }
    const std::string number = std::to_string(location.line);
    const std::string margin(number.size() < 4 ? 4 - number.size() : 0, ' ');
    std::string text = margin + number + " | " + *line + "\n";
    if (location.column > 0) {
        const std::string blank(std::max<std::size_t>(number.size(), 4), ' ');
        text += blank + " | " + underline(location, *line) + "\n";
    }
    return text;
}

// Places of notes stand in one column, so that a chain of notes reads as a table.
std::string render_notes(const std::vector<DiagnosticNote>& notes) {
    std::size_t widest = 0;
    for (const DiagnosticNote& note : notes) {
        widest = std::max(widest, count_characters(note.message));
    }
    std::string text;
    for (const DiagnosticNote& note : notes) {
        text += "  " + note.message;
        if (!note.location.file.empty()) {
            text += std::string(widest - count_characters(note.message), ' ') + "  " +
                    place_of(note.location);
        }
        text += "\n";
    }
    return text;
}

const Diagnostic* first_error(const Diagnostics& diagnostics) {
    const auto found =
        std::find_if(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
            return diagnostic.severity == Severity::Error;
        });
    return found == diagnostics.end() ? nullptr : &*found;
}

std::string summary_of(const Diagnostics& diagnostics) {
    const Diagnostic* error = first_error(diagnostics);
    return error == nullptr ? "no error" : error->code + ": " + error->message;
}

}  // namespace

bool has_errors(const Diagnostics& diagnostics) {
    return first_error(diagnostics) != nullptr;
}

DiagnosticError::DiagnosticError(Diagnostics diagnostics)
    : std::runtime_error(summary_of(diagnostics)), diagnostics_(std::move(diagnostics)) {}

ExitStatus DiagnosticError::status() const noexcept {
    const Diagnostic* error = first_error(diagnostics_);
    return error == nullptr ? ExitStatus::RunFailed : exit_status_of(error->code);
}

std::string render(const Diagnostic& diagnostic, bool colour) {
    const SeverityLook look = look_of(diagnostic.severity);
    std::string text;
    text.append(colour ? look.colour : "").append(look.name);
    text.append("[").append(diagnostic.code).append("]").append(colour ? "\033[0m" : "");
    text.append(": ").append(diagnostic.message).append("\n");
    if (!diagnostic.location.file.empty()) {
        text += "  --> " + place_of(diagnostic.location) + "\n" + quote(diagnostic.location);
    }
    text += render_notes(diagnostic.notes);
    if (!diagnostic.hint.empty()) {
        text += "  hint: " + diagnostic.hint + "\n";
    }
    return text;
}

Diagnostic to_diagnostic(const Error& error) {
    Diagnostic diagnostic;
    diagnostic.code = error.code();
    diagnostic.message = error.what();
    diagnostic.location.file = error.where();
    diagnostic.hint = error.hint();
    return diagnostic;
}

}  // namespace topress
