// Means over paired seeds with their confidence intervals.
#pragma once

#include <vector>

namespace topress::explore {

/// A mean over seeds with its 95 % confidence interval (Student's t). One value has an interval
/// without end: `low` and `high` are infinite.
struct Estimate {
    double mean = 0;
    double low = 0;
    double high = 0;

    /// Zero lies outside of the interval.
    [[nodiscard]] bool decided() const { return low > 0 || high < 0; }
};

/// Requires: at least one value.
[[nodiscard]] Estimate estimate(const std::vector<double>& values);

}  // namespace topress::explore
