// Compares what the ends of two epochs report.
#include "pipeline/loss_watch.hpp"

#include "base/log.hpp"

#include <cmath>
#include <iomanip>
#include <sstream>
#include <utility>

namespace topress::pipeline {
namespace {

/// Every piece counts its steps from one.
bool is_same_fit(const train::ProgressEvent& earlier, const train::ProgressEvent& later) {
    return earlier.step > 0 && earlier.step < later.step && earlier.steps == later.steps &&
           earlier.phase == later.phase;
}

Diagnostic describe(const std::string& stage,
                    const train::ProgressEvent& before,
                    const train::ProgressEvent& jumped) {
    std::ostringstream text;
    text << std::setprecision(4) << "the loss of '" << stage << "' rose from " << before.loss
         << " to " << jumped.loss << " in epoch " << std::lround(std::ceil(jumped.epoch)) << " of "
         << std::lround(std::ceil(jumped.epochs))
         << ": what it had learned may be lost, and the rest of its training spent on it";
    Diagnostic warning;
    warning.severity = Severity::Warning;
    warning.code = "train/loss-jumped";
    warning.message = text.str();
    warning.hint = "lower the learning_rate of this stage, or give train.warmup_epochs";
    return warning;
}

}  // namespace

void LossWatch::begin(const std::string& stage) {
    *this = {};
    stage_ = stage;
}

void LossWatch::hear(const train::ProgressEvent& event) {
    if (!event.epoch_end) {
        return;
    }
    const train::ProgressEvent before = std::exchange(last_, event);
    if (!is_same_fit(before, event)) {
        first_ = event.loss;
        return;
    }
    const bool has_jumped = event.loss > kJump * before.loss && event.loss > kNoise * first_;
    if (has_jumped && found_.empty()) {
        found_.push_back(describe(stage_, before, event));
        const Diagnostic& jump = found_.back();
        log::write(log::Level::Warn, jump.message + "; " + jump.hint, stage_);
    }
}

Diagnostics LossWatch::take() {
    return std::exchange(found_, {});
}

}  // namespace topress::pipeline
