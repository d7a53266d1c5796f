// Notices while a run trains that an epoch undid what earlier ones had learned.
#pragma once

#include "base/diagnostic.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <string>

namespace topress::pipeline {

/// The mean loss of an epoch beside that of the epoch before, within one fit: a phase that is
/// fitted in pieces changes the network between them (pruning), or its bits, and its loss may rise.
class LossWatch {
  public:
    /// A loss of more than so many times that of the epoch before has jumped. At learning rates
    /// that suited a network it was seen to rise to 1.2 times, at twice such a rate to 1.9.
    static constexpr double kJump = 1.5;
    /// A loss below this share of that of the first epoch is noise: hardly anything was undone.
    static constexpr double kNoise = 0.05;

    /// From here on a stage of this name is at work.
    void begin(const std::string& stage);

    /// A jump is logged at once, while the run can still be stopped; the first of a stage is kept.
    void hear(const train::ProgressEvent& event);

    /// What was found in the stage, as a warning train/loss-jumped; the next one starts without.
    [[nodiscard]] Diagnostics take();

  private:
    std::string stage_;
    train::ProgressEvent last_;  ///< end of an epoch; step 0 = none in this fit yet
    double first_ = 0;           ///< loss of the first epoch of this fit
    Diagnostics found_;
};

}  // namespace topress::pipeline
