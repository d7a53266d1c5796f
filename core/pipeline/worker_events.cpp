// Events as JSON and back.
#include "pipeline/worker_events.hpp"

#include "base/error.hpp"
#include "pipeline/documents.hpp"

#include <cerrno>
#include <limits>
#include <unistd.h>

namespace topress::pipeline {
namespace {

constexpr auto kProgressPeriod = std::chrono::milliseconds(100);

double number_or_nan(const Json& json) {
    return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

train::ProgressEvent progress_from(const Json& json) {
    train::ProgressEvent event;
    event.phase = json.at("phase").get<std::string>();
    event.epoch = number_or_nan(json.at("epoch_number"));
    event.epochs = number_or_nan(json.at("epochs"));
    event.step = json.at("step").get<std::uint64_t>();
    event.steps = json.at("steps").get<std::uint64_t>();
    event.loss = number_or_nan(json.at("loss"));
    event.eta_seconds = number_or_nan(json.at("eta_seconds"));
    event.epoch_end = json.at("epoch_end").get<bool>();
    return event;
}

}  // namespace

void EventWriter::log(log::Level level, std::string_view text) {
    Json json;
    json["event"] = "log";
    json["level"] = log::name_of(level);
    json["text"] = text;
    write(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void EventWriter::progress(const train::ProgressEvent& event) {
    {
        const std::lock_guard lock(mutex_);
        const auto now = std::chrono::steady_clock::now();
        if (!event.epoch_end && now - last_progress_ < kProgressPeriod) {
            return;
        }
        last_progress_ = now;
    }
    Json json;
    json["event"] = "progress";
    json["phase"] = event.phase;
    json["epoch_number"] = number(event.epoch);
    json["epochs"] = number(event.epochs);
    json["step"] = event.step;
    json["steps"] = event.steps;
    json["loss"] = number(event.loss);
    json["eta_seconds"] = number(event.eta_seconds);
    json["epoch_end"] = event.epoch_end;
    write(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void EventWriter::write(std::string line) {
    line += '\n';
    const std::lock_guard lock(mutex_);
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
        if (count > 0) {
            rest.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
            return;  // nobody reads any more: the process is about to be ended
        }
    }
}

bool read_event(std::string_view line, const EventListeners& listeners) {
    try {
        const Json json = Json::parse(line);
        const std::string event = json.at("event").get<std::string>();
        if (event == "log") {
            listeners.log(log::parse_level(json.at("level").get<std::string>()),
                          json.at("text").get<std::string>());
        } else if (event == "progress") {
            listeners.progress(progress_from(json));
        } else {
            return false;
        }
        return true;
    } catch (const Json::exception&) {
        return false;
    } catch (const Error&) {  // an unknown level
        return false;
    }
}

}  // namespace topress::pipeline
