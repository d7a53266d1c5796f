// Blocks: threads run from rendez-vous to rendez-vous; a meeting that cannot happen is a fault.
#include "block.hpp"

#include <topress/testkit/cuda_indices.hpp>

#include <algorithm>
#include <random>

namespace topress::testkit {
namespace {

Index3 index_of(unsigned number, Index3 extent) {
    return {number % extent.x, number / extent.x % extent.y, number / extent.x / extent.y};
}

// The threads of a block in the order of the schedule, warp by warp.
std::vector<std::vector<unsigned>> warps_in_order(std::size_t threads,
                                                  const Schedule& schedule,
                                                  std::uint64_t block_number) {
    std::vector<std::vector<unsigned>> warps((threads + kLanesPerWarp - 1) / kLanesPerWarp);
    for (unsigned thread = 0; thread < threads; ++thread) {
        warps[thread / kLanesPerWarp].push_back(thread);
    }
    std::mt19937_64 random(schedule.seed * 1000003 + block_number);
    const auto arrange = [&](auto& items) {
        if (schedule.kind == Schedule::Kind::Reverse) {
            std::reverse(items.begin(), items.end());
        } else if (schedule.kind == Schedule::Kind::Shuffled) {
            std::shuffle(items.begin(), items.end(), random);
        }
    };
    arrange(warps);
    for (std::vector<unsigned>& warp : warps) {
        arrange(warp);
    }
    return warps;
}

}  // namespace

Block::Block(std::string kernel,
             const LaunchShape& shape,
             Index3 index,
             StackPool& pool,
             const std::function<void()>& thread_body)
    : kernel_(std::move(kernel)), index_(index) {
    const unsigned count = shape.block.x * shape.block.y * shape.block.z;
    threads_.reserve(count);
    for (unsigned number = 0; number < count; ++number) {
        threads_.push_back(
            std::make_unique<Thread>(pool, thread_body, index_of(number, shape.block), number));
    }
}

// Every warp runs as far as it can, through its own shuffles and votes, before the next one starts:
// a warp that misses a barrier then meets data that another has already changed, or not yet.
void Block::run(const Schedule& schedule, std::uint64_t block_number) {
    const auto warps = warps_in_order(threads_.size(), schedule, block_number);
    while (!is_finished()) {
        for (const std::vector<unsigned>& warp : warps) {
            do {
                resume_warp(warp);
            } while (release_warp(warp.front() / kLanesPerWarp * kLanesPerWarp));
        }
        release_barrier();
    }
}

void Block::resume_warp(const std::vector<unsigned>& warp) {
    for (const unsigned number : warp) {
        Thread& thread = *threads_[number];
        if (thread.fibre.is_finished() || thread.wait != Thread::Wait::Nothing) {
            continue;
        }
        running_ = &thread;
        thread_index = thread.index;
        thread.fibre.resume();
        running_ = nullptr;
        if (thread.fibre.error()) {
            std::rethrow_exception(thread.fibre.error());
        }
    }
}

bool Block::is_finished() const {
    return std::all_of(threads_.begin(), threads_.end(), [](const auto& thread) {
        return thread->fibre.is_finished();
    });
}

std::uint64_t Block::meet_warp(const WarpRequest& request) {
    Thread& thread = *running_;
    const std::string fault = find_request_fault(request, thread.number % kLanesPerWarp);
    if (!fault.empty()) {
        throw KernelFault(kernel_, index_, thread.index, fault);
    }
    thread.warp_request = request;
    thread.wait = Thread::Wait::Warp;
    thread.fibre.suspend();
    return thread.warp_result;
}

BarrierResult Block::meet_block(bool predicate, Site site) {
    Thread& thread = *running_;
    thread.predicate = predicate;
    thread.barrier_site = site;
    thread.wait = Thread::Wait::Barrier;
    thread.fibre.suspend();
    return thread.barrier_result;
}

unsigned Block::active_lanes() const {
    const unsigned first = running_->number / kLanesPerWarp * kLanesPerWarp;
    unsigned lanes = 0;
    for (unsigned lane = 0; lane < threads_in_warp(first); ++lane) {
        const Thread& thread = *threads_[first + lane];
        if (!thread.fibre.is_finished() && thread.wait != Thread::Wait::Barrier) {
            lanes |= 1u << lane;
        }
    }
    return lanes;
}

unsigned Block::threads_in_warp(unsigned first) const {
    return std::min(kLanesPerWarp, static_cast<unsigned>(threads_.size()) - first);
}

WarpRequests Block::requests_of(unsigned first) const {
    WarpRequests requests{};
    for (unsigned lane = 0; lane < threads_in_warp(first); ++lane) {
        const Thread& thread = *threads_[first + lane];
        if (thread.wait == Thread::Wait::Warp) {
            requests[lane] = &thread.warp_request;
        }
    }
    return requests;
}

// Gives their results to all lanes whose whole mask has arrived at the same operation.
bool Block::release_warp(unsigned first) {
    const WarpRequests requests = requests_of(first);
    unsigned released = 0;
    for (unsigned lane = 0; lane < kLanesPerWarp; ++lane) {
        const bool is_open = requests[lane] != nullptr && ((released >> lane) & 1u) == 0;
        if (!is_open || !is_complete(requests, *requests[lane])) {
            continue;
        }
        const unsigned mask = requests[lane]->mask;
        for (unsigned member = 0; member < kLanesPerWarp; ++member) {
            if (((mask >> member) & 1u) != 0) {
                threads_[first + member]->warp_result = warp_result(requests, member);
                threads_[first + member]->wait = Thread::Wait::Nothing;
            }
        }
        released |= mask;
    }
    return released != 0;
}

// Called when no thread can run and no warp can be released.
void Block::release_barrier() {
    for (const auto& thread : threads_) {
        if (thread->wait == Thread::Wait::Warp) {
            report_missing_lane(*thread);
        }
    }
    if (is_finished()) {
        return;
    }
    check_barrier();
    BarrierResult result{0, static_cast<int>(threads_.size())};
    for (const auto& thread : threads_) {
        result.predicates_true += thread->predicate ? 1 : 0;
    }
    for (const auto& thread : threads_) {
        thread->barrier_result = result;
        thread->wait = Thread::Wait::Nothing;
    }
}

// A barrier holds only when every thread of the block came to the same one.
void Block::check_barrier() const {
    const auto waiting = std::find_if(threads_.begin(), threads_.end(), [](const auto& thread) {
        return thread->wait == Thread::Wait::Barrier;
    });
    const Site site = (*waiting)->barrier_site;
    for (const auto& thread : threads_) {
        const bool same_site =
            thread->wait == Thread::Wait::Barrier && is_same_site(thread->barrier_site, site);
        if (!same_site) {
            throw KernelFault(kernel_,
                              index_,
                              thread->index,
                              "divergent barrier: thread " + to_string((*waiting)->index) +
                                  " waits at " + describe(site) + ", but this thread " +
                                  story_of(thread->number));
        }
    }
}

void Block::report_missing_lane(const Thread& waiting) const {
    const unsigned first = waiting.number / kLanesPerWarp * kLanesPerWarp;
    const WarpRequests requests = requests_of(first);
    for (unsigned lane = 0; lane < kLanesPerWarp; ++lane) {
        const bool named = ((waiting.warp_request.mask >> lane) & 1u) != 0;
        const bool arrived =
            requests[lane] != nullptr && is_same_meeting(waiting.warp_request, *requests[lane]);
        if (named && !arrived) {
            throw KernelFault(kernel_,
                              index_,
                              waiting.index,
                              describe(waiting.warp_request) + ": the mask names lane " +
                                  std::to_string(lane) + ", which " + story_of(first + lane));
        }
    }
    throw KernelFault(
        kernel_, index_, waiting.index, "the test kit lost a lane (a bug of the kit)");
}

std::string Block::story_of(unsigned thread_number) const {
    if (thread_number >= threads_.size()) {
        return "is not in the block";
    }
    const Thread& thread = *threads_[thread_number];
    if (thread.fibre.is_finished()) {
        return "has exited";
    }
    if (thread.wait == Thread::Wait::Barrier) {
        return "waits at the barrier at " + describe(thread.barrier_site);
    }
    return "waits in " + describe(thread.warp_request);
}

}  // namespace topress::testkit
