// Schedules: which one is in force, and the comparison of what kernels give under each.
#include <topress/testkit/schedule.hpp>

#include <algorithm>

namespace topress::testkit {
namespace {

Schedule schedule_in_force;

class ScheduleScope {
  public:
    explicit ScheduleScope(const Schedule& schedule) { schedule_in_force = schedule; }

    ~ScheduleScope() { schedule_in_force = Schedule{}; }

    ScheduleScope(const ScheduleScope&) = delete;
    ScheduleScope& operator=(const ScheduleScope&) = delete;
};

}  // namespace

Schedule current_schedule() {
    return schedule_in_force;
}

const std::vector<Schedule>& standard_schedules() {
    static const std::vector<Schedule> all = {{Schedule::Kind::Forward, 0},
                                              {Schedule::Kind::Forward, 0},
                                              {Schedule::Kind::Reverse, 0},
                                              {Schedule::Kind::Shuffled, 1},
                                              {Schedule::Kind::Shuffled, 2}};
    return all;
}

std::string to_string(const Schedule& schedule) {
    switch (schedule.kind) {
        case Schedule::Kind::Forward:
            return "forward";
        case Schedule::Kind::Reverse:
            return "reverse";
        case Schedule::Kind::Shuffled:
            break;
    }
    return "shuffled with seed " + std::to_string(schedule.seed);
}

void for_each_schedule(const std::function<std::vector<std::byte>()>& run) {
    std::vector<std::byte> first;
    bool is_first = true;
    for (const Schedule& schedule : standard_schedules()) {
        const ScheduleScope scope(schedule);
        std::vector<std::byte> bytes = run();
        if (is_first) {
            first = std::move(bytes);
            is_first = false;
            continue;
        }
        const auto differs = std::mismatch(first.begin(), first.end(), bytes.begin(), bytes.end());
        if (differs.first != first.end() || differs.second != bytes.end()) {
            throw KernelFault("the result depends on the order of the threads: schedule " +
                              to_string(schedule) + " differs from forward at byte " +
                              std::to_string(differs.first - first.begin()) +
                              " (a race between barriers, memory that nobody wrote, or atomics "
                              "whose order shows)");
        }
    }
}

}  // namespace topress::testkit
