// One stack a thread, one table for all; the table is locked when a span ends.
#include "base/profile.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

namespace topress::profile {
namespace {

using Clock = std::chrono::steady_clock;

struct Totals {
    std::uint64_t count = 0;
    double total_s = 0;
    double self_s = 0;
};

using Key = std::pair<std::string, std::string>;  // name, category

struct Event {
    const Key* key;
    double start_us;
    double duration_us;
    int thread;
};

/// What is shared by all threads.
struct Recording {
    std::mutex mutex;
    std::map<Key, Totals, std::less<>> totals;
    std::vector<Event> events;
    std::uint64_t left_out = 0;
    Clock::time_point begin;
    std::atomic<std::uint64_t> number{0};  ///< of the recording; stacks of an earlier one are stale
    int threads = 0;
};

Recording& recording() {
    static Recording one;
    return one;
}

std::atomic<bool>& switch_() {
    static std::atomic<bool> on{false};
    return on;
}

struct Open {
    Key key;
    Clock::time_point start;
    double inside_s = 0;
};

struct Stack {
    std::vector<Open> open;
    std::uint64_t number = 0;
    int thread = 0;
};

Stack& own_stack() {
    thread_local Stack stack;
    return stack;
}

double seconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

/// Operators fill the trace within seconds; stages and phases go on.
bool is_kept(const std::string& category, std::size_t events) {
    const std::size_t most = category == "stage"   ? events + 1
                             : category == "phase" ? 2 * kMostEvents
                                                   : kMostEvents;
    return events < most;
}

/// A JSON string; names are those of operators, phases and stages.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') {
            result.push_back('\\');
        }
        result.push_back(static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter);
    }
    result.push_back('"');
    return result;
}

std::string line_of(const Event& event) {
    char times[96];
    std::snprintf(times,
                  sizeof times,
                  "\"ts\":%.3f,\"dur\":%.3f,\"pid\":1,\"tid\":%d",
                  event.start_us,
                  event.duration_us,
                  event.thread);
    std::string line = "{\"ph\":\"X\",\"name\":";
    line.append(quoted(event.key->first)).append(",\"cat\":").append(quoted(event.key->second));
    return line.append(",").append(times).append("}");
}

}  // namespace

bool is_on() noexcept {
    return switch_().load(std::memory_order_relaxed);
}

void start() {
    Recording& all = recording();
    const std::lock_guard lock(all.mutex);
    all.totals.clear();
    all.events.clear();
    all.left_out = 0;
    all.threads = 0;
    all.begin = Clock::now();
    ++all.number;
    switch_().store(true);
}

void stop() {
    switch_().store(false);
}

void begin(std::string_view name, std::string_view category) {
    Stack& stack = own_stack();
    Recording& all = recording();
    if (stack.number != all.number) {
        const std::lock_guard lock(all.mutex);
        stack.open.clear();
        stack.number = all.number;
        stack.thread = ++all.threads;
    }
    stack.open.push_back({{std::string(name), std::string(category)}, Clock::now()});
}

void end() {
    Stack& stack = own_stack();
    Recording& all = recording();
    if (stack.number != all.number || stack.open.empty()) {
        return;  // began before this recording
    }
    const Clock::time_point now = Clock::now();
    Open done = std::move(stack.open.back());
    stack.open.pop_back();
    const double total = seconds(now - done.start);
    if (!stack.open.empty()) {
        stack.open.back().inside_s += total;
    }
    const std::lock_guard lock(all.mutex);
    const auto entry = all.totals.try_emplace(std::move(done.key)).first;
    ++entry->second.count;
    entry->second.total_s += total;
    entry->second.self_s += total - done.inside_s;
    if (is_kept(entry->first.second, all.events.size())) {
        all.events.push_back(
            {&entry->first, seconds(done.start - all.begin) * 1e6, total * 1e6, stack.thread});
    } else {
        ++all.left_out;
    }
}

std::vector<Entry> summary() {
    Recording& all = recording();
    const std::lock_guard lock(all.mutex);
    std::vector<Entry> entries;
    for (const auto& [key, totals] : all.totals) {
        entries.push_back({key.first, key.second, totals.count, totals.total_s, totals.self_s});
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.self_s > b.self_s;
    });
    return entries;
}

void write_chrome_trace(const std::filesystem::path& path) {
    Recording& all = recording();
    const std::lock_guard lock(all.mutex);
    std::string text = "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"left_out\":";
    text.append(std::to_string(all.left_out)).append("},\"traceEvents\":[\n");
    for (std::size_t i = 0; i < all.events.size(); ++i) {
        text.append(i == 0 ? "" : ",\n").append(line_of(all.events[i]));
    }
    write_file_atomically(path, text.append("\n]}\n"));
}

}  // namespace topress::profile
