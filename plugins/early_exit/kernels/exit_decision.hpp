// On which side of a threshold samples of many classes are, with as few exponentials as it takes.
#pragma once

#include <cstdint>

namespace topress::early_exit {

/// From here on deciding pays; the exponentials of fewer classes are better done side by side.
constexpr std::int64_t kManyClasses = 64;

/// Confidence is 1 / S with S = sum(exp(x - max)), so a sample leaves where S is at most
/// 1 / threshold. S lies between that of the two largest logits alone and that of a row in which
/// all but the largest are as large as the second: how far apart the two are decides most rows. Of
/// the others S is summed, and given up once it is too large.
class ExitDecision {
  public:
    /// `threshold` may be anything: of 0 or less all leave who are numbers, of NaN nobody.
    ExitDecision(float threshold, std::int64_t classes);

    /// Confidence of each row, or anything on the same side of the threshold; not closer to it than
    /// 1e-6 of it unless the confidence is. Shape: logits (rows, classes), confidence (rows). What
    /// is not a number is as exit_gate_cpu has it.
    void decide(const float* logits, std::int64_t rows, float* confidence) const;

  private:
    std::int64_t classes_;
    double enough_;     // of S: a sample above it stays
    float sure_leave_;  // a sample leaves whose two largest logits are at least this far apart
    float sure_stay_;   // a sample stays whose two largest logits are nearer than this
};

}  // namespace topress::early_exit
