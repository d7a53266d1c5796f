// The engine of the kernel test kit: a block is a set of fibres that meet at rendez-vous.
//
// Kernels do not use this header; they speak CUDA (cuda.hpp), which is written in these few calls.
#pragma once

#include <topress/testkit/fault.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace topress::testkit {

constexpr unsigned kLanesPerWarp = 32;

/// A line of kernel source. Threads meet only where they call from the same line.
struct Site {
    const char* file;
    int line;
};

enum class WarpOperation { Sync, Shuffle, ShuffleUp, ShuffleDown, ShuffleXor, Ballot, Any, All };

/// One lane's part in a warp-wide operation.
struct WarpRequest {
    WarpOperation operation;
    unsigned mask;
    std::uint64_t value;  ///< the bits to shuffle, or the predicate to vote with
    unsigned operand;     ///< source lane, delta or lane mask of a shuffle
    unsigned width;       ///< of the segments of a shuffle: a power of two up to 32
    Site site;
};

/// Waits until every lane named in the mask asks for the same, then gives this lane its result.
/// Throws: KernelFault from launch_grid when a named lane does not arrive.
std::uint64_t meet_warp(const WarpRequest& request);

/// What all threads of a block learned from each other at a barrier.
struct BarrierResult {
    int predicates_true;
    int threads;
};

/// Waits until every thread of the block arrives from the same line.
BarrierResult meet_block(bool predicate, Site site);

/// The dynamic shared memory of the running block.
void* dynamic_shared();

/// The lanes of the calling thread's warp that have neither exited nor wait at a barrier.
unsigned active_lanes();

/// The extent of a launch.
struct LaunchShape {
    Index3 grid;
    Index3 block;
    std::size_t shared_bytes;
};

/// Runs `thread_body` once for every thread of the grid: blocks one after another, the threads of a
/// block as fibres, in the order of current_schedule(). One launch at a time in a process.
/// Throws: KernelFault; std::invalid_argument for a shape no device takes; what thread_body throws.
void launch_grid(const char* kernel,
                 const LaunchShape& shape,
                 const std::function<void()>& thread_body);

}  // namespace topress::testkit
