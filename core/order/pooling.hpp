// Several measurements of one quantity -> one, with an interval that grows when they disagree.
#pragma once

#include <vector>

namespace topress::order {

/// A mean with its 95 % confidence interval.
struct Interval {
    double mean = 0;
    double low = 0;
    double high = 0;
};

/// The half width of a 95 % interval in standard errors, for reading intervals and writing them.
/// The normal quantile on both ways: a single file keeps its own interval to the digit, and one of
/// few seeds (whose interval is wide by Student's t) keeps the little weight that it has.
inline constexpr double kHalfWidth = 1.959964;

/// Random effects: the variance of a measurement is (half width / kHalfWidth)^2, plus the variance
/// between the measurements as far as they differ by more than their intervals explain. An interval
/// without width counts as wide as the narrowest of the others.
/// Requires: at least one measurement; low <= mean <= high.
/// Source: DerSimonian, Laird: Meta-analysis in clinical trials, 1986.
[[nodiscard]] Interval pool(const std::vector<Interval>& measurements);

/// Whether zero lies outside of the interval.
[[nodiscard]] bool excludes_zero(const Interval& interval);

/// Mean in standard errors, without sign: how clearly it differs from zero. 0 for 0, infinite for
/// an interval without width.
[[nodiscard]] double clarity(const Interval& interval);

}  // namespace topress::order
