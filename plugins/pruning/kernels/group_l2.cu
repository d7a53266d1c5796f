// Squared L2 norms of all channel groups in one launch.
//
// Mapping: block k computes importance[k]: it walks the segments in order, its 128 threads stride
// over
//          the (outer, inner) elements of its channel. Nobody shares an output, so no atomics.
// Bytes:   4 per element. Rows of `inner` elements are contiguous; with a small `inner` (3x3
// filters seen
//          by input channel) about half of each 32-byte sector is used.
// Numbers: sums carry their rounding error (Knuth's two-sum), since a channel can have 10^5
// elements. Source:  Fang et al. 2023, arXiv 2301.12900 (DepGraph), group norm.
#include "group_l2.hpp"

#include <topress/kernel/launch.cuh>

namespace topress::pruning {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kLanes;

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

    __device__ float value() const { return sum + error; }
};

// The sum over the block, in thread 0: lanes fold in halves, then warps in order.
__device__ CompensatedSum reduce_block(CompensatedSum own) {
    __shared__ float sums[kWarps];
    __shared__ float errors[kWarps];
    for (unsigned delta = kLanes / 2; delta > 0; delta /= 2) {
        CompensatedSum other;
        other.sum = __shfl_down_sync(kFullMask, own.sum, delta);
        other.error = __shfl_down_sync(kFullMask, own.error, delta);
        own.add(other);
    }
    if (threadIdx.x % kLanes == 0) {
        sums[threadIdx.x / kLanes] = own.sum;
        errors[threadIdx.x / kLanes] = own.error;
    }
    __syncthreads();
    CompensatedSum total;
    for (int warp = 0; warp < kWarps; ++warp) {
        CompensatedSum part;
        part.sum = sums[warp];
        part.error = errors[warp];
        total.add(part);
    }
    __syncthreads();
    return total;
}

// This thread's share of one channel of a segment. Positions advance without a division per
// element.
__device__ CompensatedSum sum_share(const GroupSegment& segment, std::int64_t channel) {
    CompensatedSum own;
    const std::int64_t thread = threadIdx.x;
    std::int64_t o = thread / segment.inner;
    std::int64_t i = thread % segment.inner;
    const std::int64_t step_o = kThreads / segment.inner;
    const std::int64_t step_i = kThreads % segment.inner;
    while (o < segment.outer) {
        const float value =
            __ldg(segment.data + (o * segment.channels + channel) * segment.inner + i);
        own.add(
            __fmul_rn(value, value));  // not fused into the sum, whose error would then be wrong
        o += step_o;
        i += step_i;
        if (i >= segment.inner) {
            i -= segment.inner;
            ++o;
        }
    }
    return own;
}

__global__ void group_l2_kernel(const GroupSegment* segments,
                                std::int64_t segment_count,
                                float* importance) {
    const std::int64_t k = blockIdx.x;
    CompensatedSum total;
    for (std::int64_t s = 0; s < segment_count; ++s) {
        const GroupSegment segment = segments[s];
        const std::int64_t channel = k - segment.out_offset;
        // The same for all threads of the block, so the barriers inside hold.
        if (channel < 0 || channel >= segment.channels || segment.inner == 0) {
            continue;
        }
        const CompensatedSum part = reduce_block(sum_share(segment, channel));
        total.add(__fmul_rn(segment.scale, part.sum));
        total.error += segment.scale * part.error;
    }
    if (threadIdx.x == 0) {
        importance[k] = total.value();
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
                   kernel::grid_blocks(size, 1),
                   kThreads,
                   0,
                   stream,
                   segments,
                   segment_count,
                   importance);
}

}  // namespace topress::pruning
