// Where the time of the process goes: nested spans, added up by name, and the first of them one by
// one. Costs one atomic read a span while nothing is profiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace topress::profile {

/// All spans of one name. Times in seconds.
struct Entry {
    std::string name;
    std::string category;
    std::uint64_t count = 0;
    double total_s = 0;
    double self_s = 0;  ///< without the spans inside
};

/// Whether spans are recorded. Thread-safe.
[[nodiscard]] bool is_on() noexcept;

/// Forgets what was recorded and begins anew.
void start();

void stop();

/// Opens and closes a span by hand; spans of a thread nest. Use Span where a scope will do.
void begin(std::string_view name, std::string_view category);
void end();

/// All names, the largest self time first. Only after stop().
[[nodiscard]] std::vector<Entry> summary();

/// One span. Times in seconds, the start from that of the recording; threads count from 1.
struct Event {
    std::string_view name;
    std::string_view category;
    double start_s = 0;
    double duration_s = 0;
    int thread = 0;
};

/// The single spans, in the order in which they ended; texts are valid until the next start().
struct Trace {
    std::vector<Event> events;
    std::uint64_t left_out = 0;  ///< spans that were only added up
};

/// Operators after the first `kMostEvents` spans, and phases after twice as many, are left out.
[[nodiscard]] Trace trace();

inline constexpr std::size_t kMostEvents = 200'000;

/// A phase of the program's own work, for its lifetime.
class Span {
  public:
    explicit Span(std::string_view name, std::string_view category = "phase") : on_(is_on()) {
        if (on_) {
            begin(name, category);
        }
    }

    ~Span() {
        if (on_) {
            end();
        }
    }

    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

  private:
    bool on_;
};

}  // namespace topress::profile
