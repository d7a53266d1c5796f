// Logging for the program: levels, a console sink on standard error and an optional file.
// The only place that touches spdlog; LibTorch brings its own fmt headers, which must not meet it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace topress::log {

enum class Level { Trace, Debug, Info, Warn, Error, Off };

/// "trace".."error", "off" -> Level; throws Error{usage/unknown-log-level}.
[[nodiscard]] Level parse_level(std::string_view name);

/// Console level and colour; call once at start. Until then only warnings and errors are shown.
void set_console(Level level, bool colour);

/// Also writes every message from debug on, with full time stamps, to `path` (appends). Throws
/// Error{file/cannot-write}.
void set_file(const std::filesystem::path& path);

/// One single-line message; `scope` (a stage or technique) is printed as "[scope] " when not empty.
void write(Level level, std::string_view message, std::string_view scope = {});

inline void debug(std::string_view m) {
    write(Level::Debug, m);
}

inline void info(std::string_view m) {
    write(Level::Info, m);
}

inline void warn(std::string_view m) {
    write(Level::Warn, m);
}

inline void error(std::string_view m) {
    write(Level::Error, m);
}

/// Flushes the file sink.
void flush();

}  // namespace topress::log
