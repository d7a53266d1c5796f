// One stack a thread, one table for all; the table is locked when a span ends.
#include "base/profile.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
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

struct Kept {
    const Key* key;
    Clock::time_point start;
    double seconds;
    int thread;
};

/// What is shared by all threads.
struct Recording {
    std::mutex mutex;
    std::map<Key, Totals, std::less<>> totals;
    std::vector<Kept> events;
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
        all.events.push_back({&entry->first, done.start, total, stack.thread});
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

Trace trace() {
    Recording& all = recording();
    const std::lock_guard lock(all.mutex);
    Trace trace;
    trace.left_out = all.left_out;
    for (const Kept& event : all.events) {
        trace.events.push_back({event.key->first,
                                event.key->second,
                                seconds(event.start - all.begin),
                                event.seconds,
                                event.thread});
    }
    return trace;
}

}  // namespace topress::profile
