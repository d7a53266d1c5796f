// Squared L2 norms of all channel groups in one launch.
//
// Mapping: a block owns 8 neighbouring entries of importance, a warp each, and looks for the
//          segments that cover them 32 at a time. Rows of up to 32 elements per channel (filters
//          seen by input channel, batch norms) are read side by side: a thread is a column of the
//          8 channels, whose rows it adds up, and shared memory brings columns to their warps.
//          Longer rows are read by the warp that owns the channel. Nobody shares an output, so
//          there are no atomics.
// Bytes:   4 per element. 8 channels of a 3x3 filter are 9 whole sectors of 32 bytes, 8 channels of
//          one element are one. 16 loads of a thread are in flight.
// Numbers: 16 squares are added in halves; their sums carry their rounding error (Knuth's two-sum),
//          since a channel can have 10^5 elements. No multiplication is fused, so the order, and
//          with it every bit, depends on shapes and offsets alone.
// Source:  Fang et al. 2023, arXiv 2301.12900 (DepGraph), group norm.
#include "group_l2.hpp"

#include <topress/kernel/launch.cuh>

namespace topress::pruning {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
// Entries of importance, and warps, of a block.
constexpr int kEntries = 8;
// A column for every element of the longest row that is read side by side.
constexpr int kThreads = kEntries * kLanes;
// Loads of a thread in flight.
constexpr int kAtOnce = 16;

// A float sum with the rounding error it made so far.
struct CompensatedSum {
    float sum = 0.0f;
    float error = 0.0f;

    __device__ void add(float value) {
        const float total = sum + value;
        const float value_kept = total - sum;
        error += (sum - (total - value_kept)) + (value - value_kept);
        sum = total;
    }

    __device__ void add(const CompensatedSum& other) {
        add(other.sum);
        error += other.error;
    }

    __device__ void add_scaled(float scale, const CompensatedSum& other) {
        add(__fmul_rn(scale, other.sum));
        error = __fadd_rn(error, __fmul_rn(scale, other.error));
    }

    __device__ float value() const { return sum + error; }
};

// The channels of a segment that belong to a block: none where `count` is not positive.
struct OwnChannels {
    std::int64_t first;
    std::int64_t count;
};

__device__ OwnChannels own_channels(const GroupSegment& segment, std::int64_t entry) {
    const std::int64_t begin = entry - segment.out_offset;
    const std::int64_t end = begin + kEntries;
    const std::int64_t first = begin > 0 ? begin : 0;
    return {first, (end < segment.channels ? end : segment.channels) - first};
}

// Which of 32 segments from `first` on have elements for the block: a bit each, the same in all
// warps.
__device__ unsigned find_segments(const GroupSegment* segments,
                                  std::int64_t first,
                                  std::int64_t segment_count,
                                  std::int64_t entry) {
    const std::int64_t s = first + threadIdx.x % kLanes;
    bool is_found = false;
    if (s < segment_count) {
        const GroupSegment& segment = segments[s];
        // No &&: all loads go out before the first comparison waits.
        is_found =
            (own_channels(segment, entry).count > 0) & (segment.outer > 0) & (segment.inner > 0);
    }
    return __ballot_sync(kFullMask, is_found ? 1 : 0);
}

// The sum of the squares of up to kAtOnce values that are `step` apart. What is beyond `count`
// reads the first value again, so that no load waits behind a branch.
__device__ __forceinline__ float sum_of_squares(const float* from, int count, std::int64_t step) {
    float squares[kAtOnce];
    for (int k = 0; k < kAtOnce; ++k) {
        squares[k] = __ldg(from + (k < count ? k * step : 0));
    }
    for (int k = 0; k < kAtOnce; ++k) {
        squares[k] = k < count ? __fmul_rn(squares[k], squares[k]) : 0.0f;
    }
    for (int half = kAtOnce / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; ++k) {
            squares[k] = __fadd_rn(squares[k], squares[k + half]);
        }
    }
    return squares[0];
}

// Adds the squares of `count` values that are `step` apart.
__device__ __forceinline__ void add_squares(const float* from,
                                            std::int64_t count,
                                            std::int64_t step,
                                            CompensatedSum& sum) {
    for (; count >= kAtOnce; count -= kAtOnce, from += kAtOnce * step) {
        sum.add(sum_of_squares(from, kAtOnce, step));
    }
    if (count > 0) {
        sum.add(sum_of_squares(from, static_cast<int>(count), step));
    }
}

// The share of this lane in the channel of its warp, of a segment with short rows. The rows of all
// the block's channels are neighbours in memory. All threads of the block must call it.
__device__ CompensatedSum sum_side_by_side(const GroupSegment& segment,
                                           const OwnChannels& own,
                                           std::int64_t channel) {
    __shared__ float sums[kThreads];
    __shared__ float errors[kThreads];
    const int inner = static_cast<int>(segment.inner);
    const int width = static_cast<int>(own.count) * inner;
    const int rows = kThreads / width;  // at once
    const int thread = static_cast<int>(threadIdx.x);
    const int row = thread / width;
    CompensatedSum column;
    if (row < rows && row < segment.outer) {
        const float* const from =
            segment.data + (row * segment.channels + own.first) * segment.inner + thread % width;
        add_squares(from,
                    (segment.outer - row + rows - 1) / rows,
                    rows * segment.channels * segment.inner,
                    column);
    }
    sums[thread] = column.sum;
    errors[thread] = column.error;
    __syncthreads();
    CompensatedSum share;
    const std::int64_t place = channel - own.first;
    if (place >= 0 && place < own.count) {
        const int first = static_cast<int>(place) * inner;
        for (int k = thread % kLanes; k < rows * inner; k += kLanes) {
            const int at = k / inner * width + first + k % inner;
            share.add({sums[at], errors[at]});
        }
    }
    __syncthreads();  // before the next segment writes sums
    return share;
}

// The same of a segment with long rows. Loads go along the rows, or down the columns where there
// are enough rows to have as many in flight.
__device__ CompensatedSum sum_rows(const GroupSegment& segment, std::int64_t channel) {
    CompensatedSum share;
    if (channel < 0 || channel >= segment.channels) {
        return share;
    }
    const std::int64_t lane = threadIdx.x % kLanes;
    const std::int64_t stride = segment.channels * segment.inner;
    const float* const row = segment.data + channel * segment.inner;
    if (segment.outer < kAtOnce) {
        const std::int64_t count = (segment.inner - lane + kLanes - 1) / kLanes;
        for (std::int64_t o = 0; o < segment.outer; ++o) {
            add_squares(row + o * stride + lane, count, kLanes, share);
        }
    } else {
        for (std::int64_t i = lane; i < segment.inner; i += kLanes) {
            add_squares(row + i, segment.outer, stride, share);
        }
    }
    return share;
}

// The sum over the lanes of a warp, in lane 0.
__device__ CompensatedSum fold_warp(CompensatedSum own) {
    for (unsigned delta = kLanes / 2; delta > 0; delta /= 2) {
        CompensatedSum other;
        other.sum = __shfl_down_sync(kFullMask, own.sum, delta);
        other.error = __shfl_down_sync(kFullMask, own.error, delta);
        own.add(other);
    }
    return own;
}

__global__ __launch_bounds__(kThreads) void group_l2_kernel(const GroupSegment* segments,
                                                            std::int64_t segment_count,
                                                            float* importance,
                                                            std::int64_t size) {
    const std::int64_t entry = static_cast<std::int64_t>(blockIdx.x) * kEntries;
    const std::int64_t own_entry = entry + threadIdx.x / kLanes;
    CompensatedSum total;
    for (std::int64_t first = 0; first < segment_count; first += kLanes) {
        unsigned found = find_segments(segments, first, segment_count, entry);
        for (; found != 0; found &= found - 1) {
            const GroupSegment segment = segments[first + __ffs(static_cast<int>(found)) - 1];
            const std::int64_t channel = own_entry - segment.out_offset;
            // The same for all threads of the block, so the barriers inside hold.
            const CompensatedSum share =
                segment.inner <= kLanes
                    ? sum_side_by_side(segment, own_channels(segment, entry), channel)
                    : sum_rows(segment, channel);
            total.add_scaled(segment.scale, share);
        }
    }
    total = fold_warp(total);
    if (threadIdx.x % kLanes == 0 && own_entry < size) {
        importance[own_entry] = total.value();
    }
}

}  // namespace

void launch_group_l2(const GroupSegment* segments,
                     std::int64_t segment_count,
                     float* importance,
                     std::int64_t size,
                     void* stream) {
    require_group_l2_arguments(segments, segment_count, importance, size);
    if (size == 0) {
        return;
    }
    TOPRESS_LAUNCH(group_l2_kernel,
                   kernel::grid_blocks(size, kEntries),
                   kThreads,
                   0,
                   stream,
                   segments,
                   segment_count,
                   importance,
                   size);
}

}  // namespace topress::pruning
