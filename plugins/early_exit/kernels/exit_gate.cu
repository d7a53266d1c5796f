// The exit gate on the device: confidence of every sample, then a stable split of the batch.
//
// Mapping: a group of lanes per sample for the confidence: 4 lanes up to 16 classes, 8 up to 128, a
//          warp above. The split goes in tiles of 1024 samples, a thread each: ballots rank the
//          samples of a warp, shared memory ranks the warps. A small batch is one tile of one
//          block, which does both in one launch. Others take two: up to 32 blocks split, and each
//          counts for itself who leaves before its first tile, so none waits for another.
// Bytes:   4 per logit (read a second time above 1024 classes, from the cache), 4 + 4 + 8 per
//          sample, and 4 per sample before a block's first tile (from the cache).
// Numbers: how lanes share a row depends on the number of classes alone, so a sample has the same
//          confidence in every batch.
#include "exit_gate.hpp"

#include <topress/kernel/launch.cuh>

#include <cmath>

namespace topress::early_exit {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
// Threads of a block that measures confidence.
constexpr int kThreads = 128;
// Such blocks on a multiprocessor at a time, at least: room for 64 registers a thread.
constexpr int kBlocksPerUnit = 8;
// Exponentials of a lane that do not wait for each other.
constexpr int kSideBySide = 4;
// Samples, and threads, of a tile.
constexpr int kTile = 1024;
constexpr int kTileWarps = kTile / kLanes;
static_assert(kTileWarps == kLanes, "a lane for every warp");
// Blocks that split a batch, at most: more would count the same samples more often.
constexpr int kSplitBlocks = 32;
// Confidences that a thread counts with all loads in flight.
constexpr int kCountedAtOnce = 16;
// Logits that one block reads sooner than a second launch begins.
constexpr std::int64_t kOneBlockLogits = 32768;

__device__ int sum_over_warp(int value) {
    for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2) {
        value += __shfl_xor_sync(kFullMask, value, lane_mask);
    }
    return value;
}

// Every kGroup-th of `left` logits; -infinity behind the last, which adds nothing to a sum.
template <int kGroup, int kKept>
__device__ void load_logits(const float* from, std::int64_t left, float (&logits)[kKept]) {
    constexpr int kChunk = kGroup * kKept;
    const int lane = static_cast<int>(threadIdx.x) % kGroup;
    const int behind = (left < kChunk ? static_cast<int>(left) : kChunk) - lane;
    const float* const own = from + lane;
    for (int k = 0; k < kKept; ++k) {
        logits[k] = k * kGroup < behind ? __ldg(own + k * kGroup) : -INFINITY;
    }
}

// The sum of exponentials of those that load_logits read. Groups without any are left out:
// -infinity would cost as much as a logit.
template <int kGroup, int kKept>
__device__ float sum_of_exponentials(const float (&logits)[kKept], std::int64_t left, float top) {
    float sum = 0.0f;
    for (int first = 0; first < kKept; first += kSideBySide) {
        if (first * kGroup < left) {
            for (int k = first; k < first + kSideBySide; ++k) {
                sum += expf(logits[k] - top);
            }
        }
    }
    return sum;
}

// The confidence of one row, in all lanes of a group. All groups of a warp must call it.
template <int kGroup, int kKept>
__device__ float confidence_of(const float* row, std::int64_t classes) {
    constexpr int kChunk = kGroup * kKept;
    float logits[kKept];
    float top = -INFINITY;
    for (std::int64_t c = 0; c < classes; c += kChunk) {
        load_logits<kGroup>(row + c, classes - c, logits);
        for (int k = 0; k < kKept; ++k) {
            top = fmaxf(top, logits[k]);
        }
    }
    for (int lane_mask = kGroup / 2; lane_mask > 0; lane_mask /= 2) {
        top = fmaxf(top, __shfl_xor_sync(kFullMask, top, lane_mask));
    }
    // fmaxf drops NaN; here it comes back in.
    float sum = 0.0f;
    for (std::int64_t c = 0; c < classes; c += kChunk) {
        if (classes > kChunk) {  // else the only chunk is still in registers
            load_logits<kGroup>(row + c, classes - c, logits);
        }
        sum += sum_of_exponentials<kGroup>(logits, classes - c, top);
    }
    for (int lane_mask = kGroup / 2; lane_mask > 0; lane_mask /= 2) {
        sum += __shfl_xor_sync(kFullMask, sum, lane_mask);
    }
    return 1.0f / sum;
}

// Writes the confidence of the samples from `first` on, one for each group of the warp.
template <int kGroup, int kKept>
__device__ void measure_in_warp(const ExitGateInputs& inputs,
                                std::int64_t first,
                                float* confidence) {
    const int lane = static_cast<int>(threadIdx.x) % kLanes;
    const std::int64_t sample = first + lane / kGroup;
    const bool is_sample = sample < inputs.batch;
    // A group without a sample of its own joins the shuffles with the last one.
    const std::int64_t read = is_sample ? sample : inputs.batch - 1;
    const float own =
        confidence_of<kGroup, kKept>(inputs.logits + read * inputs.classes, inputs.classes);
    if (is_sample && lane % kGroup == 0) {
        confidence[sample] = own;
    }
}

// Who leaves before `end`, a multiple of kTile; the same in all threads of the block.
__device__ std::int64_t count_leaving(const float* confidence, std::int64_t end, float threshold) {
    __shared__ int leaving_of_warp[kTileWarps];
    int leaving = 0;
    for (std::int64_t first = 0; first < end; first += kCountedAtOnce * kTile) {
        for (int k = 0; k < kCountedAtOnce; ++k) {
            const std::int64_t sample = first + k * kTile + threadIdx.x;
            const float own = __ldg(confidence + (sample < end ? sample : 0));
            leaving += sample < end && own >= threshold ? 1 : 0;
        }
    }
    leaving = sum_over_warp(leaving);
    const unsigned lane = threadIdx.x % kLanes;
    if (lane == 0) {
        leaving_of_warp[threadIdx.x / kLanes] = leaving;
    }
    __syncthreads();
    return sum_over_warp(leaving_of_warp[lane]);
}

// Writes who leaves and who stays of one tile, a sample per thread, behind the `left` that left
// before it. Returns who left up to its end, the same in all threads of the block.
__device__ std::int64_t split_tile(bool leaves,
                                   std::int64_t sample,
                                   std::int64_t left,
                                   std::int64_t batch,
                                   const ExitGateOutputs& outputs) {
    __shared__ int leaving_of_warp[kTileWarps];
    const unsigned lane = threadIdx.x % kLanes;
    const unsigned own_warp = threadIdx.x / kLanes;
    const unsigned votes = __ballot_sync(kFullMask, leaves ? 1 : 0);
    if (lane == 0) {
        leaving_of_warp[own_warp] = __popc(votes);
    }
    const int left_in_tile = __syncthreads_count(leaves ? 1 : 0);
    const int left_in_warps = sum_over_warp(lane < own_warp ? leaving_of_warp[lane] : 0);
    const std::int64_t rank = left + left_in_warps + __popc(votes & ((1u << lane) - 1u));
    if (leaves) {
        outputs.leave[rank] = sample;
    } else if (sample < batch) {
        outputs.stay[sample - rank] = sample;
    }
    __syncthreads();  // before the next tile writes leaving_of_warp
    return left + left_in_tile;
}

__device__ void write_counts(std::int64_t left, std::int64_t batch, std::int64_t* counts) {
    if (threadIdx.x == 0) {
        counts[0] = left;
        counts[1] = batch - left;
    }
}

// The whole gate for a batch of one tile, in one block.
template <int kGroup, int kKept>
__global__ __launch_bounds__(kTile) void exit_gate_kernel(ExitGateInputs inputs,
                                                          ExitGateOutputs outputs) {
    __shared__ float confidence[kTile];
    constexpr int kPerWarp = kLanes / kGroup;
    const std::int64_t own_warp = threadIdx.x / kLanes;
    for (std::int64_t first = own_warp * kPerWarp; first < inputs.batch;
         first += kTileWarps * kPerWarp) {
        measure_in_warp<kGroup, kKept>(inputs, first, confidence);
    }
    __syncthreads();
    const std::int64_t sample = threadIdx.x;
    bool leaves = false;
    if (sample < inputs.batch) {
        outputs.confidence[sample] = confidence[sample];
        leaves = confidence[sample] >= inputs.threshold;  // NaN compares false: it stays
    }
    write_counts(
        split_tile(leaves, sample, 0, inputs.batch, outputs), inputs.batch, outputs.counts);
}

template <int kGroup, int kKept>
__global__ __launch_bounds__(kThreads,
                             kBlocksPerUnit) void exit_confidence_kernel(ExitGateInputs inputs,
                                                                         float* confidence) {
    const std::int64_t warp =
        static_cast<std::int64_t>(blockIdx.x) * (kThreads / kLanes) + threadIdx.x / kLanes;
    const std::int64_t first = warp * (kLanes / kGroup);
    if (first < inputs.batch) {  // whole warps
        measure_in_warp<kGroup, kKept>(inputs, first, confidence);
    }
}

__global__ __launch_bounds__(kTile) void exit_split_kernel(ExitGateInputs inputs,
                                                           ExitGateOutputs outputs,
                                                           std::int64_t samples_per_block) {
    const std::int64_t begin = blockIdx.x * samples_per_block;
    const std::int64_t end =
        begin + samples_per_block < inputs.batch ? begin + samples_per_block : inputs.batch;
    std::int64_t left = count_leaving(outputs.confidence, begin, inputs.threshold);
    for (std::int64_t tile = begin; tile < end; tile += kTile) {
        const std::int64_t sample = tile + threadIdx.x;
        // NaN compares false: it stays.
        const bool leaves = sample < end && __ldg(outputs.confidence + sample) >= inputs.threshold;
        left = split_tile(leaves, sample, left, inputs.batch, outputs);
    }
    if (blockIdx.x == gridDim.x - 1) {
        write_counts(left, inputs.batch, outputs.counts);
    }
}

void launch_split(const ExitGateInputs& inputs, const ExitGateOutputs& outputs, void* stream) {
    const std::int64_t tiles = kernel::ceil_div(inputs.batch, kTile);
    const std::int64_t samples_per_block = kernel::ceil_div(tiles, kSplitBlocks) * kTile;
    TOPRESS_LAUNCH(exit_split_kernel,
                   kernel::grid_blocks(inputs.batch, samples_per_block),
                   kTile,
                   0,
                   stream,
                   inputs,
                   outputs,
                   samples_per_block);
}

// Groups of kGroup lanes, each of which keeps kKept logits in registers.
template <int kGroup, int kKept>
void launch_in_groups(const ExitGateInputs& inputs, const ExitGateOutputs& outputs, void* stream) {
    if (inputs.batch <= kTile && inputs.batch * inputs.classes <= kOneBlockLogits) {
        TOPRESS_LAUNCH((exit_gate_kernel<kGroup, kKept>), 1, kTile, 0, stream, inputs, outputs);
        return;
    }
    TOPRESS_LAUNCH((exit_confidence_kernel<kGroup, kKept>),
                   kernel::grid_blocks(inputs.batch, kThreads / kGroup),
                   kThreads,
                   0,
                   stream,
                   inputs,
                   outputs.confidence);
    launch_split(inputs, outputs, stream);
}

}  // namespace

void launch_exit_gate(const ExitGateInputs& inputs, const ExitGateOutputs& outputs, void* stream) {
    require_exit_gate(inputs, outputs);
    if (inputs.classes <= 16) {
        launch_in_groups<4, 4>(inputs, outputs, stream);
    } else if (inputs.classes <= 128) {
        launch_in_groups<8, 16>(inputs, outputs, stream);
    } else {
        launch_in_groups<32, 32>(inputs, outputs, stream);
    }
}

}  // namespace topress::early_exit
