// The learning rate of every step: constant, cosine or one-cycle, with a warm-up.
#pragma once

#include <cstdint>
#include <string>

namespace topress::train {

enum class ScheduleKind : std::uint8_t { Constant, Cosine, OneCycle };

/// "constant", "cosine", "one-cycle". Throws Error{train/unknown-schedule} with the nearest name.
[[nodiscard]] ScheduleKind parse_schedule(const std::string& name);

/// Learning rate by step.
///   constant   peak
///   cosine     peak * (1 + cos(pi * t)) / 2, t from 0 to 1 after the warm-up
///   one-cycle  linear up to the peak in the first quarter (or the warm-up, when one is set), then
///   linear to 0
/// The warm-up rises linearly from peak / warmup_steps to peak. The step after the last would have
/// rate 0 (cosine, one-cycle), so no step is spent on a rate of 0.
/// Source: one-cycle: Smith and Topin 2019, arXiv 1708.07120; cosine: Loshchilov and Hutter 2017,
/// arXiv 1608.03983.
class Schedule {
  public:
    Schedule(ScheduleKind kind, double peak, std::uint64_t steps, double warmup_steps);

    /// Requires: step < steps.
    [[nodiscard]] double at(std::uint64_t step) const;

  private:
    [[nodiscard]] double decay(double progress) const;

    ScheduleKind kind_;
    double peak_;
    double steps_;
    double warmup_steps_;
};

}  // namespace topress::train
