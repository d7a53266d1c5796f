// Learning rate formulas, see schedule.hpp.
#include "train/schedule.hpp"

#include "base/error.hpp"
#include "base/suggest.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace topress::train {

namespace {

constexpr double kOneCycleRise = 0.25;

}  // namespace

ScheduleKind parse_schedule(const std::string& name) {
    if (name == "constant") {
        return ScheduleKind::Constant;
    }
    if (name == "cosine") {
        return ScheduleKind::Cosine;
    }
    if (name == "one-cycle") {
        return ScheduleKind::OneCycle;
    }
    const auto near = nearest(name, {"constant", "cosine", "one-cycle"});
    throw Error("train/unknown-schedule",
                "unknown schedule '" + name + "'",
                "train.schedule",
                near ? "did you mean '" + *near + "'?" : "known are constant, cosine, one-cycle");
}

Schedule::Schedule(ScheduleKind kind, double peak, std::uint64_t steps, double warmup_steps)
    : kind_(kind), peak_(peak), steps_(static_cast<double>(steps)), warmup_steps_(warmup_steps) {
    if (kind_ == ScheduleKind::OneCycle && warmup_steps_ <= 0) {
        warmup_steps_ = kOneCycleRise * steps_;
    }
    // The peak is reached, even by a warm-up longer than the whole fit.
    warmup_steps_ = std::clamp(warmup_steps_, 0.0, std::max(steps_ - 1, 0.0));
}

double Schedule::decay(double progress) const {
    switch (kind_) {
        case ScheduleKind::Cosine:
            return peak_ * 0.5 * (1 + std::cos(std::numbers::pi * progress));
        case ScheduleKind::OneCycle:
            return peak_ * (1 - progress);
        case ScheduleKind::Constant:
            break;
    }
    return peak_;
}

double Schedule::at(std::uint64_t step) const {
    const auto position = static_cast<double>(step);
    TOPRESS_ASSERT(position < steps_);
    if (position < warmup_steps_) {
        return peak_ * std::min(1.0, (position + 1) / warmup_steps_);
    }
    return decay((position - warmup_steps_) / (steps_ - warmup_steps_));
}

}  // namespace topress::train
