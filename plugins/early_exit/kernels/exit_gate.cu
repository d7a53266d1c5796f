// The exit gate on the device: confidence of every sample, then a stable split of the batch.
//
// Mapping: a warp per sample for the confidence, 4 samples per block. The split is one block of
// 1024
//          threads that walks the batch in tiles: ballots rank the samples of a warp, shared memory
//          ranks the warps, a running count ranks the tiles. One block is enough for the batches of
//          a network (a tile of 1024 samples takes about a microsecond) and needs no workspace.
// Bytes:   4 per logit (the second reading hits the cache), 4 + 4 + 8 per sample.
#include "exit_gate.hpp"

#include <topress/kernel/launch.cuh>

#include <cmath>

namespace topress::early_exit {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kLanes = 32;
constexpr int kSamplesPerBlock = 4;
constexpr int kSplitThreads = 1024;
constexpr int kSplitWarps = kSplitThreads / kLanes;

__global__ void exit_confidence_kernel(const float* logits,
                                       std::int64_t batch,
                                       std::int64_t classes,
                                       float* confidence) {
    const std::int64_t sample =
        static_cast<std::int64_t>(blockIdx.x) * kSamplesPerBlock + threadIdx.x / kLanes;
    if (sample >= batch) {  // whole warps leave together
        return;
    }
    const unsigned lane = threadIdx.x % kLanes;
    const float* const row = logits + sample * classes;
    float top = -INFINITY;
    for (std::int64_t c = lane; c < classes; c += kLanes) {
        top = fmaxf(top, __ldg(row + c));
    }
    for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2) {
        top = fmaxf(top, __shfl_xor_sync(kFullMask, top, lane_mask));
    }
    // fmaxf drops NaN; here it comes back in.
    float sum = 0.0f;
    for (std::int64_t c = lane; c < classes; c += kLanes) {
        sum += expf(__ldg(row + c) - top);
    }
    for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2) {
        sum += __shfl_xor_sync(kFullMask, sum, lane_mask);
    }
    if (lane == 0) {
        confidence[sample] = 1.0f / sum;
    }
}

__global__ void exit_split_kernel(const float* confidence,
                                  std::int64_t batch,
                                  float threshold,
                                  std::int64_t* leave,
                                  std::int64_t* stay,
                                  std::int64_t* counts) {
    __shared__ int leaving_of_warp[kSplitWarps];
    const unsigned lane = threadIdx.x % kLanes;
    const int own_warp = static_cast<int>(threadIdx.x / kLanes);
    std::int64_t left_in_tiles = 0;
    for (std::int64_t tile = 0; tile < batch; tile += kSplitThreads) {
        const std::int64_t sample = tile + threadIdx.x;
        // NaN compares false: it stays.
        const bool leaves = sample < batch && confidence[sample] >= threshold;
        const unsigned votes = __ballot_sync(kFullMask, leaves ? 1 : 0);
        if (lane == 0) {
            leaving_of_warp[own_warp] = __popc(votes);
        }
        __syncthreads();
        int left_before = __popc(votes & ((1u << lane) - 1u));
        int left_in_tile = 0;
        for (int warp = 0; warp < kSplitWarps; ++warp) {
            left_before += warp < own_warp ? leaving_of_warp[warp] : 0;
            left_in_tile += leaving_of_warp[warp];
        }
        const std::int64_t rank = left_in_tiles + left_before;
        if (leaves) {
            leave[rank] = sample;
        } else if (sample < batch) {
            stay[sample - rank] = sample;
        }
        left_in_tiles += left_in_tile;
        __syncthreads();  // before the next tile writes leaving_of_warp
    }
    if (threadIdx.x == 0) {
        counts[0] = left_in_tiles;
        counts[1] = batch - left_in_tiles;
    }
}

}  // namespace

void launch_exit_gate(const ExitGateInputs& inputs, const ExitGateOutputs& outputs, void* stream) {
    require_exit_gate(inputs, outputs);
    if (inputs.batch > 0) {
        TOPRESS_LAUNCH(exit_confidence_kernel,
                       kernel::grid_blocks(inputs.batch, kSamplesPerBlock),
                       kSamplesPerBlock * kLanes,
                       0,
                       stream,
                       inputs.logits,
                       inputs.batch,
                       inputs.classes,
                       outputs.confidence);
    }
    TOPRESS_LAUNCH(exit_split_kernel,
                   1,
                   kSplitThreads,
                   0,
                   stream,
                   outputs.confidence,
                   inputs.batch,
                   inputs.threshold,
                   outputs.leave,
                   outputs.stay,
                   outputs.counts);
}

}  // namespace topress::early_exit
