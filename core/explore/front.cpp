// Trapezoids over a Pareto front.
#include "explore/front.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace topress::explore {

Front::Front(std::vector<Point> points) : points_(std::move(points)) {
    for (Point& point : points_) {
        point.bitops_cr = std::log(point.bitops_cr);
    }
    std::ranges::sort(points_, [](const Point& a, const Point& b) {
        return a.bitops_cr != b.bitops_cr ? a.bitops_cr > b.bitops_cr : a.accuracy > b.accuracy;
    });
    double best = -std::numeric_limits<double>::infinity();
    std::erase_if(points_, [&best](const Point& point) {  // from the most compressed one on
        const bool is_dominated = point.accuracy <= best;
        best = std::max(best, point.accuracy);
        return is_dominated;
    });
    std::ranges::reverse(points_);
}

double Front::accuracy_at(double log_cr) const {
    const auto right = std::ranges::lower_bound(points_, log_cr, {}, &Point::bitops_cr);
    if (right == points_.end()) {
        return points_.back().accuracy;
    }
    if (right == points_.begin()) {
        return right->accuracy;
    }
    const auto left = right - 1;
    const double part = (log_cr - left->bitops_cr) / (right->bitops_cr - left->bitops_cr);
    return left->accuracy + part * (right->accuracy - left->accuracy);
}

double Front::mean_accuracy(double low, double high) const {
    if (high <= low) {
        return accuracy_at(low);
    }
    std::vector<double> corners{low};
    for (const Point& point : points_) {
        if (point.bitops_cr > low && point.bitops_cr < high) {
            corners.push_back(point.bitops_cr);
        }
    }
    corners.push_back(high);
    double area = 0;
    for (std::size_t i = 1; i < corners.size(); ++i) {
        area += (corners[i] - corners[i - 1]) *
                (accuracy_at(corners[i]) + accuracy_at(corners[i - 1])) / 2;
    }
    return area / (high - low);
}

std::vector<double> mean_accuracies(const std::vector<std::vector<Point>>& finals,
                                    double original_accuracy) {
    double low = std::numeric_limits<double>::infinity();
    double high = low;
    for (const std::vector<Point>& networks : finals) {
        const auto [least, most] = std::ranges::minmax(networks, {}, &Point::bitops_cr);
        low = std::min(low, std::log(least.bitops_cr));
        high = std::min(high, std::log(most.bitops_cr));
    }
    std::vector<double> means;
    for (std::vector<Point> networks : finals) {
        networks.push_back({1, original_accuracy});
        means.push_back(Front(std::move(networks)).mean_accuracy(low, high));
    }
    return means;
}

}  // namespace topress::explore
