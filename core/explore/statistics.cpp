// Student's t from Boost.Math.
#include "explore/statistics.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <cmath>
#include <limits>
#include <numeric>

namespace topress::explore {

Estimate estimate(const std::vector<double>& values) {
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    if (values.size() < 2) {
        constexpr double kEndless = std::numeric_limits<double>::infinity();
        return {mean, -kEndless, kEndless};
    }
    double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    const double error = std::sqrt(squares / (count - 1) / count);
    const boost::math::students_t distribution(count - 1);
    const double half = boost::math::quantile(distribution, 0.975) * error;
    return {mean, mean - half, mean + half};
}

}  // namespace topress::explore
