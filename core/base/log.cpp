// Logging on spdlog: one logger, a console sink on standard error, at most one file sink.
#include "base/log.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>

namespace topress::log {

namespace {

constexpr std::array<std::pair<std::string_view, Level>, 6> kLevels = {{
    {"trace", Level::Trace},
    {"debug", Level::Debug},
    {"info", Level::Info},
    {"warn", Level::Warn},
    {"error", Level::Error},
    {"off", Level::Off},
}};

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::Trace:
            return spdlog::level::trace;
        case Level::Debug:
            return spdlog::level::debug;
        case Level::Info:
            return spdlog::level::info;
        case Level::Warn:
            return spdlog::level::warn;
        case Level::Error:
            return spdlog::level::err;
        case Level::Off:
            break;
    }
    return spdlog::level::off;
}

Level from_spdlog(spdlog::level::level_enum level) {
    for (const auto& [name, known] : kLevels) {
        if (to_spdlog(known) == level) {
            return known;
        }
    }
    return Level::Error;
}

/// Hands messages to a function.
class ForwardSink : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit ForwardSink(std::function<void(Level, std::string_view)> take)
        : take_(std::move(take)) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        take_(from_spdlog(message.level), {message.payload.data(), message.payload.size()});
    }

    void flush_() override {}

  private:
    std::function<void(Level, std::string_view)> take_;
};

// spdlog knows NO_COLOR as little as other conventions: the caller decides and we pass it on.
struct State {
    std::shared_ptr<spdlog::sinks::ansicolor_stderr_sink_mt> console =
        std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(spdlog::color_mode::never);
    std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks =
        std::make_shared<spdlog::sinks::dist_sink_mt>();
    spdlog::logger logger{"topress", sinks};
    std::shared_ptr<spdlog::sinks::basic_file_sink_mt> file;
    spdlog::sink_ptr forward;
    std::mutex file_mutex;

    State() {
        console->set_pattern("%^%l%$: %v");
        console->set_level(spdlog::level::warn);
        sinks->add_sink(console);
        logger.set_level(spdlog::level::trace);
        logger.flush_on(spdlog::level::info);  // so that a log can be followed while it grows
    }
};

// Never destroyed: plugins are not unloaded and may log while the program ends.
State& state() {
    static State* const instance = new State;
    return *instance;
}

std::string single_line(std::string_view message, std::string_view scope) {
    std::string text;
    if (!scope.empty()) {
        text.append("[").append(scope).append("] ");
    }
    text.append(message);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

}  // namespace

Level parse_level(std::string_view name) {
    std::vector<std::string> names;
    for (const auto& [known, level] : kLevels) {
        if (known == name) {
            return level;
        }
        names.emplace_back(known);
    }
    const auto similar = nearest(name, names);
    throw Error("usage/unknown-log-level",
                "unknown log level '" + std::string(name) + "'",
                {},
                (similar ? "did you mean '" + *similar + "'? " : std::string()) +
                    "levels: trace, debug, info, warn, error, off");
}

std::string_view name_of(Level level) {
    for (const auto& [name, known] : kLevels) {
        if (known == level) {
            return name;
        }
    }
    return "off";
}

void set_console(Level level, bool colour) {
    state().console->set_color_mode(colour ? spdlog::color_mode::always
                                           : spdlog::color_mode::never);
    state().console->set_level(to_spdlog(level));
}

void set_file(const std::filesystem::path& path) {
    try {
        auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
        file->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
        file->set_level(spdlog::level::debug);
        const std::lock_guard lock(state().file_mutex);
        if (state().file) {
            state().sinks->remove_sink(state().file);
        }
        state().file = file;
        state().sinks->add_sink(file);
    } catch (const spdlog::spdlog_ex& error) {
        throw Error("file/cannot-write",
                    "cannot write the log '" + path.string() + "': " + error.what(),
                    path.string(),
                    "check that the folder exists and may be written");
    }
}

void set_forward(std::function<void(Level, std::string_view text)> take) {
    const std::lock_guard lock(state().file_mutex);
    if (state().forward) {
        state().sinks->remove_sink(std::exchange(state().forward, nullptr));
    }
    if (!take) {
        return;
    }
    state().forward = std::make_shared<ForwardSink>(std::move(take));
    state().forward->set_level(spdlog::level::debug);
    state().sinks->add_sink(state().forward);
}

void write(Level level, std::string_view message, std::string_view scope) {
    if (level == Level::Off) {
        return;
    }
    const std::string text = single_line(message, scope);
    state().logger.log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

void flush() {
    state().logger.flush();
}

}  // namespace topress::log
