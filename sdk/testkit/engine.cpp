// Launches: checks the shape, then runs block after block and looks at every guard band.
#include "block.hpp"

#include <topress/testkit/cuda_indices.hpp>
#include <topress/testkit/engine.hpp>
#include <topress/testkit/guarded_buffer.hpp>
#include <topress/testkit/schedule.hpp>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <random>
#include <stdexcept>

namespace topress::testkit {

Index3 thread_index;
Index3 block_index;
Index3 block_extent;
Index3 grid_extent;

namespace {

// What every device since compute capability 7.5 takes without an opt-in.
constexpr unsigned kMostThreadsPerBlock = 1024;
constexpr unsigned kMostThreadsInZ = 64;
constexpr unsigned kMostBlocksInX = 2147483647;
constexpr unsigned kMostBlocksInYOrZ = 65535;
constexpr std::size_t kMostSharedBytes = 48 * 1024;

Block* running_block = nullptr;
GuardedStorage* running_shared = nullptr;

Block& block_of_caller() {
    if (running_block == nullptr) {
        throw std::logic_error("a CUDA thread function was called outside of a kernel");
    }
    return *running_block;
}

void check_shape(const char* kernel, const LaunchShape& shape) {
    const auto refuse = [kernel](const std::string& story) {
        throw std::invalid_argument("launch of kernel '" + std::string(kernel) + "': " + story);
    };
    const std::uint64_t threads =
        std::uint64_t{shape.block.x} * std::uint64_t{shape.block.y} * std::uint64_t{shape.block.z};
    if (threads == 0 || threads > kMostThreadsPerBlock || shape.block.z > kMostThreadsInZ) {
        refuse("block " + to_string(shape.block) + " is empty or above 1024 threads (64 in z)");
    }
    const bool empty = shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0;
    if (empty || shape.grid.x > kMostBlocksInX || shape.grid.y > kMostBlocksInYOrZ ||
        shape.grid.z > kMostBlocksInYOrZ) {
        refuse("grid " + to_string(shape.grid) + " is empty or above (2147483647, 65535, 65535)");
    }
    if (shape.shared_bytes > kMostSharedBytes) {
        refuse(std::to_string(shape.shared_bytes) + " bytes of shared memory, above 49152");
    }
}

std::vector<std::uint64_t> block_order(std::uint64_t blocks, const Schedule& schedule) {
    std::vector<std::uint64_t> order(blocks);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    if (schedule.kind == Schedule::Kind::Reverse) {
        std::reverse(order.begin(), order.end());
    } else if (schedule.kind == Schedule::Kind::Shuffled) {
        std::mt19937_64 random(schedule.seed);
        std::shuffle(order.begin(), order.end(), random);
    }
    return order;
}

// Marks what runs, and unmarks it however the block ends.
class Running {
  public:
    Running(Block& block, GuardedStorage& shared) {
        running_block = &block;
        running_shared = &shared;
    }

    ~Running() {
        running_block = nullptr;
        running_shared = nullptr;
    }

    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
};

void run_block(const char* kernel,
               const LaunchShape& shape,
               std::uint64_t number,
               StackPool& stacks,
               const std::function<void()>& thread_body) {
    const std::uint64_t row = number / shape.grid.x;
    block_index = {static_cast<unsigned>(number % shape.grid.x),
                   static_cast<unsigned>(row % shape.grid.y),
                   static_cast<unsigned>(row / shape.grid.y)};
    GuardedStorage shared(shape.shared_bytes, "dynamic shared memory");
    {
        Block block(kernel, shape, block_index, stacks, thread_body);
        const Running running(block, shared);
        block.run(current_schedule(), number);
    }
    const std::string damage = collect_guard_damage();
    if (!damage.empty()) {
        throw KernelFault(
            kernel, block_index, Index3{}, "a thread of this block left its memory: " + damage);
    }
}

}  // namespace

void launch_grid(const char* kernel,
                 const LaunchShape& shape,
                 const std::function<void()>& thread_body) {
    if (running_block != nullptr) {
        throw std::logic_error("the test kit does not launch kernels from kernels");
    }
    static std::mutex one_launch;
    const std::lock_guard lock(one_launch);
    check_shape(kernel, shape);
    block_extent = shape.block;
    grid_extent = shape.grid;
    static StackPool stacks;  // kept from launch to launch
    const std::uint64_t blocks =
        std::uint64_t{shape.grid.x} * std::uint64_t{shape.grid.y} * std::uint64_t{shape.grid.z};
    for (const std::uint64_t number : block_order(blocks, current_schedule())) {
        run_block(kernel, shape, number, stacks, thread_body);
    }
}

std::uint64_t meet_warp(const WarpRequest& request) {
    return block_of_caller().meet_warp(request);
}

BarrierResult meet_block(bool predicate, Site site) {
    return block_of_caller().meet_block(predicate, site);
}

unsigned active_lanes() {
    return block_of_caller().active_lanes();
}

void* dynamic_shared() {
    block_of_caller();
    return running_shared->data();
}

std::string to_string(Index3 index) {
    std::string text = "(";
    text += std::to_string(index.x) + ", " + std::to_string(index.y) + ", ";
    return text + std::to_string(index.z) + ")";
}

}  // namespace topress::testkit
