// Squared L2 norms of channel groups on the CPU: segment after segment, channels side by side.
#include "group_l2.hpp"

#include <topress/kernel/parallel.hpp>
#include <topress/kernel/vector_clones.hpp>

#include <algorithm>
#include <vector>

namespace topress::pruning {
namespace {

// Running sums, so that the compiler may use vector registers without changing the order.
constexpr std::int64_t kLanes = 8;
// Columns of a segment that one item of work adds up; few enough to stay in registers and cache.
constexpr std::int64_t kColumns = 1024;

// Squares that are added in float before they go into a sum in double: so few that their rounding
// stays below that of the result, and most of the work is done in whole vectors.
constexpr std::int64_t kInFloat = 8;

TOPRESS_VECTOR_CLONES
double sum_of_squares(const float* values, std::int64_t count) {
    double lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes * kInFloat <= count; i += kLanes * kInFloat) {
        float part[kLanes] = {};
        for (std::int64_t k = 0; k < kInFloat; ++k) {
            for (std::int64_t lane = 0; lane < kLanes; ++lane) {
                const float value = values[i + k * kLanes + lane];
                part[lane] += value * value;
            }
        }
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            lanes[lane] += static_cast<double>(part[lane]);
        }
    }
    double sum = 0.0;
    for (; i < count; ++i) {
        sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    for (const double lane : lanes) {
        sum += lane;
    }
    return sum;
}

// Adds the squares of `count` neighbours, row after row, to a sum for each.
TOPRESS_VECTOR_CLONES
void add_columns(const float* __restrict values,
                 std::int64_t rows,
                 std::int64_t stride,
                 std::int64_t count,
                 double* __restrict sums) {
    std::int64_t row = 0;
    for (; row + kInFloat <= rows; row += kInFloat) {
        const float* const line = values + row * stride;
        for (std::int64_t i = 0; i < count; ++i) {
            float part = 0.0F;
            for (std::int64_t k = 0; k < kInFloat; ++k) {
                const float value = line[k * stride + i];
                part += value * value;
            }
            sums[i] += static_cast<double>(part);
        }
    }
    for (; row < rows; ++row) {
        const float* const line = values + row * stride;
        for (std::int64_t i = 0; i < count; ++i) {
            const double value = static_cast<double>(line[i]);
            sums[i] += value * value;
        }
    }
}

// One row of memory holds all values of a channel: channels one by one.
void add_by_channel(const GroupSegment& segment, double* out) {
    const std::int64_t elements = segment.channels * segment.inner;
    kernel::for_each_item(segment.channels, elements, [&](std::int64_t channel) {
        out[channel] += static_cast<double>(segment.scale) *
                        sum_of_squares(segment.data + channel * segment.inner, segment.inner);
    });
}

// Channels alternate in memory, a few values each: all columns side by side, then channel by
// channel. Whole channels go to one item, so the sums do not depend on threads.
void add_by_column(const GroupSegment& segment, double* out) {
    const std::int64_t stride = segment.channels * segment.inner;
    const std::int64_t channels = std::max<std::int64_t>(1, kColumns / segment.inner);
    const std::int64_t items = (segment.channels + channels - 1) / channels;
    kernel::for_each_item(items, stride * segment.outer, [&](std::int64_t item) {
        const std::int64_t first = item * channels;
        const std::int64_t last = std::min(segment.channels, first + channels);
        const std::int64_t count = (last - first) * segment.inner;
        std::vector<double> sums(static_cast<std::size_t>(count), 0.0);
        add_columns(
            segment.data + first * segment.inner, segment.outer, stride, count, sums.data());
        const double* column = sums.data();
        for (std::int64_t channel = first; channel < last; ++channel) {
            double sum = 0.0;
            for (std::int64_t i = 0; i < segment.inner; ++i) {
                sum += *column++;
            }
            out[channel] += static_cast<double>(segment.scale) * sum;
        }
    });
}

}  // namespace

void group_l2_cpu(const GroupSegment* segments,
                  std::int64_t segment_count,
                  float* importance,
                  std::int64_t size) {
    require_group_l2_arguments(segments, segment_count, importance, size);
    require_group_l2(segments, segment_count, size);
    std::vector<double> sums(static_cast<std::size_t>(size), 0.0);
    for (std::int64_t s = 0; s < segment_count; ++s) {
        const GroupSegment& segment = segments[s];
        double* const out = sums.data() + segment.out_offset;
        if (segment.outer == 0 || segment.channels == 0 || segment.inner == 0) {
            continue;
        }
        segment.outer == 1 ? add_by_channel(segment, out) : add_by_column(segment, out);
    }
    for (std::int64_t k = 0; k < size; ++k) {
        importance[k] = static_cast<float>(sums[static_cast<std::size_t>(k)]);
    }
}

}  // namespace topress::pruning
