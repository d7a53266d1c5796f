// The kernels of testkit_kernels.hpp, written as they would be in a .cu file.
#define TOPRESS_KERNEL_TESTKIT 1
#include "testkit_kernels.hpp"

#include <topress/kernel/launch.cuh>

#include <stdexcept>

namespace topress::parity {
namespace {

constexpr unsigned kFullMask = 0xffffffffu;

__global__ void block_sum_kernel(const std::int64_t* values, std::int64_t size, std::int64_t* sum) {
    __shared__ std::int64_t warp_sums[32];
    std::int64_t own = 0;
    for (std::int64_t i = threadIdx.x; i < size; i += blockDim.x) {
        own += values[i];
    }
    for (unsigned delta = 16; delta > 0; delta /= 2) {
        own += __shfl_down_sync(kFullMask, own, delta);
    }
    if (threadIdx.x % 32 == 0) {
        warp_sums[threadIdx.x / 32] = own;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        std::int64_t total = 0;
        for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) {
            total += warp_sums[warp];
        }
        *sum = total;
    }
}

__global__ void warp_operations_kernel(std::uint32_t* results) {
    const unsigned lane = threadIdx.x;
    std::uint32_t* out = results + lane * 8;
    out[0] = __shfl_sync(kFullMask, lane, 3, 8);
    out[1] = __shfl_up_sync(kFullMask, lane, 2, 8);
    out[2] = __shfl_down_sync(kFullMask, lane, 2, 8);
    out[3] = __shfl_xor_sync(kFullMask, lane, 5);
    out[4] = __ballot_sync(kFullMask, lane % 3 == 0);
    out[5] = static_cast<std::uint32_t>(__any_sync(kFullMask, lane == 7));
    out[6] = static_cast<std::uint32_t>(__all_sync(kFullMask, lane < 31));
    // Two halves of a warp that meet apart, each with its own mask.
    const unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    out[7] = __ballot_sync(half, lane % 2 == 0);
}

__global__ void exits_before_barrier_kernel() {
    if (threadIdx.x >= blockDim.x / 2) {
        return;
    }
    __syncthreads();
}

__global__ void waits_at_two_barriers_kernel() {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}

__global__ void shuffle_without_lane_kernel() {
    if (threadIdx.x == 5) {
        return;
    }
    __shfl_xor_sync(kFullMask, 1.0f, 1);
}

__global__ void vote_without_lane_kernel() {
    if (threadIdx.x == 5) {
        __syncthreads();
    } else {
        __any_sync(kFullMask, 1);
    }
}

__global__ void full_mask_kernel() {
    __syncwarp();
}

__global__ void mask_without_caller_kernel() {
    __syncwarp(0x0000ffffu);
}

__global__ void shuffle_from_unnamed_lane_kernel() {
    if (threadIdx.x < 16) {
        __shfl_sync(0x0000ffffu, 1, 20);
    }
}

__global__ void reverse_kernel(const int* values, int* reversed, int size, bool with_barrier) {
    TOPRESS_DYNAMIC_SHARED(int, staged);
    const int own = static_cast<int>(threadIdx.x);
    staged[own] = values[own];
    if (with_barrier) {
        __syncthreads();
    }
    reversed[own] = staged[size - 1 - own];
}

__global__ void tile_votes_kernel(int* sums, int tiles, bool with_second_barrier) {
    __shared__ int votes[4];
    int sum = 0;
    for (int tile = 0; tile < tiles; ++tile) {
        const unsigned ballot = __ballot_sync(kFullMask, static_cast<int>(threadIdx.x) > tile * 40);
        if (threadIdx.x % 32 == 0) {
            votes[threadIdx.x / 32] = __popc(ballot);
        }
        __syncthreads();
        for (const int vote : votes) {
            sum += vote;
        }
        if (with_second_barrier) {
            __syncthreads();
        }
    }
    sums[threadIdx.x] = sum;
}

__global__ void atomics_kernel(int* counts, double* total) {
    const int own = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    atomicAdd(counts, 1);
    atomicMax(counts + 1, own);
    atomicMin(counts + 2, own);
    atomicOr(counts + 3, 1 << (own % 8));
    atomicAdd(total, 0.5);
}

__global__ void writes_past_end_kernel(int* values, int size) {
    const int own = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (own <= size) {
        values[own] = own;
    }
}

__global__ void writes_past_shared_kernel(int floats) {
    TOPRESS_DYNAMIC_SHARED(float, staged);
    staged[static_cast<int>(threadIdx.x) + floats] = 1.0f;
}

__global__ void reads_stale_shared_kernel(int* seen) {
    __shared__ int last_writer;
    if (threadIdx.x == 0 && blockIdx.x == 0) {
        last_writer = 100;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        seen[blockIdx.x] = last_writer;
        last_writer = static_cast<int>(blockIdx.x);
    }
}

__global__ void indices_kernel(std::uint32_t* indices) {
    const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    const unsigned own = block * blockDim.x * blockDim.y * blockDim.z + thread;
    indices[own] = own;
}

__global__ void barrier_count_kernel(int* counts) {
    counts[threadIdx.x] = __syncthreads_count(threadIdx.x % 2 == 1);
}

__global__ void throws_kernel() {
    if (threadIdx.x == 3) {
        throw std::runtime_error("thread 3 gave up");
    }
    __syncthreads();
}

}  // namespace

void launch_block_sum(const std::int64_t* values,
                      std::int64_t size,
                      int threads,
                      std::int64_t* sum) {
    TOPRESS_LAUNCH(
        block_sum_kernel, 1, static_cast<unsigned>(threads), 0, nullptr, values, size, sum);
}

void launch_warp_operations(std::uint32_t* results) {
    TOPRESS_LAUNCH(warp_operations_kernel, 1, 32, 0, nullptr, results);
}

void launch_exits_before_barrier() {
    TOPRESS_LAUNCH(exits_before_barrier_kernel, 2, 64, 0, nullptr);
}

void launch_waits_at_two_barriers() {
    TOPRESS_LAUNCH(waits_at_two_barriers_kernel, 1, 64, 0, nullptr);
}

void launch_shuffle_without_lane() {
    TOPRESS_LAUNCH(shuffle_without_lane_kernel, 1, 32, 0, nullptr);
}

void launch_vote_without_lane() {
    TOPRESS_LAUNCH(vote_without_lane_kernel, 1, 32, 0, nullptr);
}

void launch_mask_beyond_block() {
    TOPRESS_LAUNCH(full_mask_kernel, 1, 20, 0, nullptr);
}

void launch_mask_without_caller() {
    TOPRESS_LAUNCH(mask_without_caller_kernel, 1, 32, 0, nullptr);
}

void launch_shuffle_from_unnamed_lane() {
    TOPRESS_LAUNCH(shuffle_from_unnamed_lane_kernel, 1, 32, 0, nullptr);
}

void launch_reverse(const int* values, int* reversed, int size, bool with_barrier) {
    const unsigned threads = static_cast<unsigned>(size);
    TOPRESS_LAUNCH(reverse_kernel,
                   1,
                   threads,
                   threads * sizeof(int),
                   nullptr,
                   values,
                   reversed,
                   size,
                   with_barrier);
}

void launch_tile_votes(int* sums, int tiles, bool with_second_barrier) {
    TOPRESS_LAUNCH(tile_votes_kernel, 1, 128, 0, nullptr, sums, tiles, with_second_barrier);
}

void launch_atomics(int* counts, double* total, int blocks, int threads) {
    TOPRESS_LAUNCH(atomics_kernel,
                   static_cast<unsigned>(blocks),
                   static_cast<unsigned>(threads),
                   0,
                   nullptr,
                   counts,
                   total);
}

void launch_writes_past_end(int* values, int size) {
    TOPRESS_LAUNCH(
        writes_past_end_kernel, kernel::grid_blocks(size + 1, 32), 32, 0, nullptr, values, size);
}

void launch_writes_past_shared(int floats) {
    TOPRESS_LAUNCH(writes_past_shared_kernel,
                   1,
                   1,
                   static_cast<unsigned>(floats) * sizeof(float),
                   nullptr,
                   floats);
}

void launch_reads_stale_shared(int* seen, int blocks) {
    TOPRESS_LAUNCH(reads_stale_shared_kernel, static_cast<unsigned>(blocks), 32, 0, nullptr, seen);
}

void launch_indices(std::uint32_t* indices) {
    TOPRESS_LAUNCH(indices_kernel, dim3(2, 3, 2), dim3(4, 3, 2), 0, nullptr, indices);
}

void launch_barrier_count(int* counts, int threads) {
    TOPRESS_LAUNCH(barrier_count_kernel, 1, static_cast<unsigned>(threads), 0, nullptr, counts);
}

void launch_throws() {
    TOPRESS_LAUNCH(throws_kernel, 1, 64, 0, nullptr);
}

void launch_too_many_threads() {
    TOPRESS_LAUNCH(full_mask_kernel, 1, 1025, 0, nullptr);
}

}  // namespace topress::parity
