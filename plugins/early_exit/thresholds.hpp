// Chooses the threshold of every exit on validation figures: least expected cost within an accuracy
// bound.
#pragma once

#include <cstdint>
#include <vector>

namespace topress::early_exit {

/// Never reached by a probability: an exit with this threshold lets nobody leave.
inline constexpr double kNever = 2.0;

/// What was seen on the validation split. K exits, N samples.
struct ExitObservations {
    std::vector<std::vector<float>> confidence;  ///< [K][N], the criterion; negative: never leaves
    /// [K + 1][N], last = main output: 1 where the prediction is right, else 0; of numbers 1 less
    /// the squared error by the variance. The mean is the accuracy, or R2.
    std::vector<std::vector<double>> right;
    std::vector<double> cost;  ///< [K + 1], of a sample that leaves there
};

/// What thresholds have to keep to on the samples.
struct AccuracyBound {
    double max_drop = 0;  ///< 0..1, below the accuracy of the main output alone
    /// A sample that an exit answers better than the main output makes up for one that it answers
    /// worse. Thresholds that are chosen among many with it rely on gains that other samples do not
    /// repeat: docs/decisions/0035-gains-of-exits-do-not-count.md.
    bool counts_gains = false;
};

/// The choice and what it gives on the same samples.
struct ThresholdChoice {
    std::vector<double> thresholds;  ///< [K]
    std::vector<double> share;       ///< [K + 1]
    double accuracy = 0;             ///< 0..1
    double expected_cost = 0;
};

/// Dynamic programming over the exits. Each has up to 64 candidate thresholds (quantiles of the
/// confidences and kNever); combinations of the first exits that leave about as many samples with
/// about the same loss of accuracy are merged to the cheapest, in a table of 64 x 64 (fewer above
/// 50,000 samples): over the candidates exact for up to three exits, in time linear in their
/// number. With kNever at every exit nothing is lost, so that there always is a choice.
/// Ties keep the combination with the higher thresholds, beginning with the first exit. Source:
/// expected cost as in Kaya et al. 2019 (shallow-deep networks), thresholds per exit.
[[nodiscard]] ThresholdChoice choose_thresholds(const ExitObservations& seen,
                                                const AccuracyBound& bound);

}  // namespace topress::early_exit
