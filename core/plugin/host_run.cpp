// topress.run/1: log, progress, cancellation, random numbers, artefacts, figures. Nothing here can
// fail for the plugin: what goes wrong is logged.
#include "base/log.hpp"
#include "plugin/host_objects.hpp"
#include "plugin/host_tables.hpp"

#include <algorithm>
#include <filesystem>

namespace topress::plugin {

namespace {

/// Runs a service that has no way to report; its failure is worth a warning.
template <class Body>
void serve(const topress_run* run, Body&& body) noexcept {
    topress_error error = detail::make_error();
    if (run == nullptr || guard_host(&error, std::forward<Body>(body)) == TOPRESS_OK) {
        return;
    }
    guard_host(nullptr, [&] { log::write(log::Level::Warn, error.message, run->services.label); });
}

log::Level to_level(std::int32_t level) {
    switch (level) {
        case TOPRESS_LOG_TRACE:
            return log::Level::Trace;
        case TOPRESS_LOG_DEBUG:
            return log::Level::Debug;
        case TOPRESS_LOG_WARN:
            return log::Level::Warn;
        case TOPRESS_LOG_ERROR:
            return log::Level::Error;
        default:
            return log::Level::Info;
    }
}

void log_line(topress_run* run, std::int32_t level, const char* message) noexcept {
    serve(run, [&] {
        std::string line = message != nullptr ? message : "";
        std::replace(line.begin(), line.end(), '\n', ' ');
        log::write(to_level(level), line, run->services.label);
    });
}

void progress(topress_run* run,
              std::uint64_t done,
              std::uint64_t total,
              const char* what) noexcept {
    serve(run, [&] {
        if (!run->services.progress) {
            return;
        }
        train::ProgressEvent event;
        event.phase = what != nullptr ? what : "";
        event.step = done;
        event.steps = total;
        run->services.progress(event);
    });
}

std::int32_t cancelled(topress_run* run) noexcept {
    bool wants_to_stop = false;
    serve(run, [&] { wants_to_stop = run->services.cancelled && run->services.cancelled(); });
    return wants_to_stop ? 1 : 0;
}

std::uint64_t random(topress_run* run) noexcept {
    return run != nullptr ? next_random(run->generator) : 0;
}

const char* artefact_directory(topress_run* run) noexcept {
    serve(run, [&] { std::filesystem::create_directories(run->services.artefact_directory); });
    return run != nullptr ? run->directory.c_str() : "";
}

void metric(topress_run* run, const char* name, double value) noexcept {
    serve(run, [&] {
        const std::string wanted = required_text(name, "the figure's name");
        auto& metrics = run->services.metrics;
        const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const auto& metric) {
            return metric.first == wanted;
        });
        if (found != metrics.end()) {
            found->second = value;
        } else {
            metrics.emplace_back(wanted, value);
        }
    });
}

}  // namespace

const topress_run_v1& run_table() noexcept {
    static constexpr topress_run_v1 kTable = {sizeof(topress_run_v1),
                                              &log_line,
                                              &progress,
                                              &cancelled,
                                              &random,
                                              &artefact_directory,
                                              &metric};
    return kTable;
}

}  // namespace topress::plugin
