// What a worker tells the process that waits for it while it works: one JSON document per line.
#pragma once

#include "base/log.hpp"
#include "train/trainer.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace topress::pipeline {

/// Writes events to a descriptor. Thread: any.
class EventWriter {
  public:
    explicit EventWriter(int descriptor) : descriptor_(descriptor) {}

    void log(log::Level level, std::string_view text);
    /// Ends of epochs always, other steps a few times a second.
    void progress(const train::ProgressEvent& event);

  private:
    void write(std::string line);

    int descriptor_;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point last_progress_;
};

/// Who listens; both must be set.
struct EventListeners {
    std::function<void(log::Level, std::string_view text)> log;
    train::Progress progress;
};

/// Hands a line to its listener; false if it is none that EventWriter wrote.
bool read_event(std::string_view line, const EventListeners& listeners);

}  // namespace topress::pipeline
