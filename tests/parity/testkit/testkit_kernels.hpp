// Kernels that try the test kit itself: some right, some wrong on purpose.
#pragma once

#include <cstdint>

namespace topress::parity {

/// Sums `size` integers with shuffles and shared memory, one block of `threads`.
void launch_block_sum(const std::int64_t* values,
                      std::int64_t size,
                      int threads,
                      std::int64_t* sum);

/// Writes, per thread, what each warp operation gave it: 8 values a thread, one warp.
void launch_warp_operations(std::uint32_t* results);

/// Half of the threads leave before a barrier.
void launch_exits_before_barrier();

/// The halves of the block wait at different barriers.
void launch_waits_at_two_barriers();

/// Lane 5 exits before a shuffle whose mask names it.
void launch_shuffle_without_lane();

/// Lane 5 waits at a barrier, while the others vote with a mask that names it.
void launch_vote_without_lane();

/// A full mask in a block of 20 threads.
void launch_mask_beyond_block();

/// A mask that does not name its caller.
void launch_mask_without_caller();

/// Reads, through a shuffle, a lane outside the mask.
void launch_shuffle_from_unnamed_lane();

/// Reverses an array through shared memory; without the barrier it races.
void launch_reverse(const int* values, int* reversed, int size, bool with_barrier);

/// Sums what each warp voted, tile after tile; without the second barrier a fast warp overwrites
/// its vote before the others have read it.
void launch_tile_votes(int* sums, int tiles, bool with_second_barrier);

/// Counts with atomics: counts[0] += 1, counts[1] = max, counts[2] = min, counts[3] |= bit.
void launch_atomics(int* counts, double* total, int blocks, int threads);

/// Writes one element more than `size`.
void launch_writes_past_end(int* values, int size);

/// Writes one float more than its dynamic shared memory holds.
void launch_writes_past_shared(int floats);

/// Reads shared memory that only one block of the grid wrote.
void launch_reads_stale_shared(int* seen, int blocks);

/// Writes (block, thread) of every thread of a three-dimensional launch.
void launch_indices(std::uint32_t* indices);

/// Counts the odd threads at a barrier, into counts of each thread.
void launch_barrier_count(int* counts, int threads);

/// Throws from thread 3 while the others wait.
void launch_throws();

/// A launch with more threads than a block can have.
void launch_too_many_threads();

}  // namespace topress::parity
