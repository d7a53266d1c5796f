// DerSimonian-Laird pooling.
#include "order/pooling.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace topress::order {

namespace {

double variance_of(const Interval& interval) {
    const double error = (interval.high - interval.low) / 2 / kHalfWidth;
    return error * error;
}

/// Variances, none of them zero unless all are.
std::vector<double> variances_of(const std::vector<Interval>& measurements) {
    std::vector<double> variances;
    double smallest = 0;
    for (const Interval& each : measurements) {
        variances.push_back(variance_of(each));
        if (variances.back() > 0 && (smallest == 0 || variances.back() < smallest)) {
            smallest = variances.back();
        }
    }
    std::replace(variances.begin(), variances.end(), 0.0, smallest);
    return variances;
}

/// A weighted mean and the sum of the weights.
struct Weighted {
    double mean = 0;
    double weight = 0;
    double squares = 0;  ///< sum of the squared weights
};

Weighted weigh(const std::vector<Interval>& measurements,
               const std::vector<double>& variances,
               double between) {
    Weighted sum;
    for (std::size_t i = 0; i < measurements.size(); ++i) {
        const double weight = 1 / (variances[i] + between);
        sum.mean += weight * measurements[i].mean;
        sum.weight += weight;
        sum.squares += weight * weight;
    }
    sum.mean /= sum.weight;
    return sum;
}

/// tau^2 = max(0, (Q - (k - 1)) / (sum w - sum w^2 / sum w)), Q = sum w (y - mean)^2.
double variance_between(const std::vector<Interval>& measurements,
                        const std::vector<double>& variances) {
    const Weighted fixed = weigh(measurements, variances, 0);
    double q = 0;
    for (std::size_t i = 0; i < measurements.size(); ++i) {
        const double deviation = measurements[i].mean - fixed.mean;
        q += deviation * deviation / variances[i];
    }
    const double expected = static_cast<double>(measurements.size()) - 1;
    return std::max(0.0, (q - expected) / (fixed.weight - fixed.squares / fixed.weight));
}

}  // namespace

Interval pool(const std::vector<Interval>& measurements) {
    TOPRESS_ASSERT(!measurements.empty());
    if (measurements.size() == 1) {
        return measurements.front();
    }
    const std::vector<double> variances = variances_of(measurements);
    if (variances.front() == 0) {  // none has a width: all that is left is their plain mean
        Interval plain;
        plain.low = plain.high = measurements.front().mean;
        for (const Interval& each : measurements) {
            plain.mean += each.mean / static_cast<double>(measurements.size());
            plain.low = std::min(plain.low, each.mean);
            plain.high = std::max(plain.high, each.mean);
        }
        return plain;
    }
    const Weighted pooled =
        weigh(measurements, variances, variance_between(measurements, variances));
    const double half = kHalfWidth / std::sqrt(pooled.weight);
    return {pooled.mean, pooled.mean - half, pooled.mean + half};
}

bool excludes_zero(const Interval& interval) {
    return interval.low > 0 || interval.high < 0;
}

double clarity(const Interval& interval) {
    if (interval.mean == 0) {
        return 0;
    }
    const double error = std::sqrt(variance_of(interval));
    return error > 0 ? std::abs(interval.mean) / error : std::numeric_limits<double>::infinity();
}

}  // namespace topress::order
