// One block of a grid: its threads as fibres, and the rules by which they meet.
#pragma once

#include "fibre.hpp"
#include "warp.hpp"

#include <topress/testkit/engine.hpp>
#include <topress/testkit/schedule.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace topress::testkit {

/// A CUDA thread: its fibre, and what it waits for.
struct Thread {
    enum class Wait { Nothing, Warp, Barrier };

    Thread(StackPool& pool, const std::function<void()>& body, Index3 index_, unsigned number_)
        : fibre(pool, body), index(index_), number(number_) {}

    Fibre fibre;
    Index3 index;
    unsigned number;  // position in the block, x fastest
    Wait wait = Wait::Nothing;
    WarpRequest warp_request{};
    std::uint64_t warp_result = 0;
    bool predicate = false;
    Site barrier_site{};
    BarrierResult barrier_result{};
};

/// Runs one block to its end.
class Block {
  public:
    Block(std::string kernel,
          const LaunchShape& shape,
          Index3 index,
          StackPool& pool,
          const std::function<void()>& thread_body);

    /// Throws: KernelFault; what a thread threw.
    void run(const Schedule& schedule, std::uint64_t block_number);

    /// The calls of the running thread.
    std::uint64_t meet_warp(const WarpRequest& request);
    BarrierResult meet_block(bool predicate, Site site);
    [[nodiscard]] unsigned active_lanes() const;

  private:
    void resume_warp(const std::vector<unsigned>& warp);
    bool release_warp(unsigned first);
    [[nodiscard]] WarpRequests requests_of(unsigned first) const;
    void release_barrier();
    [[nodiscard]] bool is_finished() const;
    [[noreturn]] void report_missing_lane(const Thread& waiting) const;
    [[nodiscard]] std::string story_of(unsigned thread_number) const;
    void check_barrier() const;
    [[nodiscard]] unsigned threads_in_warp(unsigned first) const;

    std::string kernel_;
    Index3 index_;
    std::vector<std::unique_ptr<Thread>> threads_;
    Thread* running_ = nullptr;
};

}  // namespace topress::testkit
