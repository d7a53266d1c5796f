// Logging for the program: levels, a console sink on standard error and an optional file.
// The only place that touches spdlog; LibTorch brings its own fmt headers, which must not meet it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace topress::log {

enum class Level { Trace, Debug, Info, Warn, Error, Off };

/// "trace".."error", "off" -> Level; throws Error{usage/unknown-log-level}.
[[nodiscard]] Level parse_level(std::string_view name);

/// "trace".."error", "off".
[[nodiscard]] std::string_view name_of(Level level);

/// Console level and colour; call once at start. Until then only warnings and errors are shown.
void set_console(Level level, bool colour);

/// Also writes every message from debug on, with full time stamps, to `path` (appends). Throws
/// Error{file/cannot-write}.
void set_file(const std::filesystem::path& path);

/// Hands every message from debug on, with its scope in front, to `take` as well: a worker sends
/// them to the process that waits for it. Empty: no longer. Thread: `take` is called from any, one
/// at a time.
void set_forward(std::function<void(Level, std::string_view text)> take);

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
