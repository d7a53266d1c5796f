// Accuracy at equal BitOps: what two orders are compared by.
#pragma once

#include <vector>

namespace topress::explore {

/// One compressed network.
struct Point {
    double bitops_cr = 1;  ///< BitOps of the original / of this network, above 0
    double accuracy = 0;   ///< fraction
};

/// The best of one order's networks: no other has both a higher BitOpsCR and a higher accuracy.
/// Between two of them accuracy is interpolated over log BitOpsCR; left of the first one it is that
/// one's accuracy (who needs less compression can take the smaller network all the same).
class Front {
  public:
    /// `points` include the original network (BitOpsCR 1), so that orders whose networks ended at
    /// different sizes can be compared. Requires: not empty, bitops_cr > 0.
    explicit Front(std::vector<Point> points);

    /// Requires: log_cr is not above that of the last point.
    [[nodiscard]] double accuracy_at(double log_cr) const;
    /// Mean accuracy over [low, high] of log BitOpsCR; the accuracy there where both are equal.
    [[nodiscard]] double mean_accuracy(double low, double high) const;

  private:
    std::vector<Point> points_;  ///< bitops_cr holds its logarithm; rising, accuracy falling
};

/// For every order the mean accuracy over the range of log BitOpsCR that all of them cover: from
/// the least compressed network of any to the most compressed one that each of them has. `finals`
/// are the networks of each order; the range is the same for all, so the figures are comparable
/// with each other and with nothing else.
/// Shape: finals (orders)(settings), result (orders). Requires: every order has a network.
[[nodiscard]] std::vector<double> mean_accuracies(const std::vector<std::vector<Point>>& finals,
                                                  double original_accuracy);

}  // namespace topress::explore
