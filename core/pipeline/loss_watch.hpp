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
    /// A loss that is more times that of the epoch before has jumped. Epochs of a learning rate
    /// that suits a network were seen to rise to 1.2 times; one too high by half doubled a loss.
    static constexpr double kJump = 1.5;

    /// From here on a stage of this name is at work.
    void begin(const std::string& stage);

    /// A jump is logged at once, while the run can still be stopped; the first of a stage is kept.
    void hear(const train::ProgressEvent& event);

    /// What was found in the stage, as a warning train/loss-jumped; the next one starts without.
    [[nodiscard]] Diagnostics take();

  private:
    std::string stage_;
    train::ProgressEvent last_;  ///< end of an epoch; step 0 = none in this fit yet
    Diagnostics found_;
};

}  // namespace topress::pipeline
