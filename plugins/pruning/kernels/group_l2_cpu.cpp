// Squared L2 norms of channel groups on the CPU: segment after segment, channels side by side.
#include "group_l2.hpp"

#include <topress/kernel/parallel.hpp>

#include <vector>

namespace topress::pruning {
namespace {

// Eight running sums, so that the compiler may use vector registers without changing the order.
constexpr std::int64_t kLanes = 8;

double sum_of_squares(const float* values, std::int64_t count) {
    double lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            const double value = static_cast<double>(values[i + lane]);
            lanes[lane] += value * value;
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

double channel_sum(const GroupSegment& segment, std::int64_t channel) {
    double sum = 0.0;
    for (std::int64_t o = 0; o < segment.outer; ++o) {
        sum += sum_of_squares(segment.data + (o * segment.channels + channel) * segment.inner,
                              segment.inner);
    }
    return sum;
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
        const std::int64_t elements = segment.outer * segment.channels * segment.inner;
        kernel::for_each_item(segment.channels, elements, [&](std::int64_t channel) {
            out[channel] += static_cast<double>(segment.scale) * channel_sum(segment, channel);
        });
    }
    for (std::int64_t k = 0; k < size; ++k) {
        importance[k] = static_cast<float>(sums[static_cast<std::size_t>(k)]);
    }
}

}  // namespace topress::pruning
