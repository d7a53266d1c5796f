// The kernel test kit: what it runs is right, and what a kernel must not do is reported.
#include "testkit_kernels.hpp"

#include <topress/testkit/fault.hpp>
#include <topress/testkit/guarded_buffer.hpp>
#include <topress/testkit/schedule.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <stdexcept>
#include <string>

using topress::testkit::bytes_of;
using topress::testkit::for_each_schedule;
using topress::testkit::GuardedBuffer;
using topress::testkit::KernelFault;

namespace topress::parity {
namespace {

// The story of the fault that `launch` must end in.
template <typename Launch>
std::string fault_of(const Launch& launch) {
    try {
        launch();
    } catch (const KernelFault& fault) {
        return fault.what();
    }
    return "no fault";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("testkit: a block reduction by shuffles and shared memory is exact") {
    for (const int threads : {32, 64, 256, 1024}) {
        CAPTURE(threads);
        std::vector<std::int64_t> values(12800);
        std::iota(values.begin(), values.end(), -100);
        const std::int64_t expected =
            std::accumulate(values.begin(), values.end(), std::int64_t{0});
        for_each_schedule([&] {
            GuardedBuffer<std::int64_t> sum(1);
            launch_block_sum(values.data(), std::ssize(values), threads, sum.data());
            CHECK(sum.data()[0] == expected);
            return bytes_of(sum);
        });
    }
}

TEST_CASE("testkit: shuffles and votes give what CUDA defines") {
    GuardedBuffer<std::uint32_t> results(32 * 8);
    launch_warp_operations(results.data());
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
        CAPTURE(lane);
        const std::uint32_t* const out = results.data() + lane * 8;
        const std::uint32_t first = lane / 8 * 8;
        CHECK(out[0] == first + 3);
        CHECK(out[1] == (lane - first >= 2 ? lane - 2 : lane));
        CHECK(out[2] == (lane - first < 6 ? lane + 2 : lane));
        CHECK(out[3] == (lane ^ 5u));
        CHECK(out[4] == 0x49249249u);
        CHECK(out[5] == 1);
        CHECK(out[6] == 0);
        CHECK(out[7] == (lane < 16 ? 0x00005555u : 0x55550000u));
    }
}

TEST_CASE("testkit: blocks and threads have CUDA indices in three dimensions") {
    std::vector<std::uint32_t> expected(2 * 3 * 2 * 24);
    std::iota(expected.begin(), expected.end(), 0u);
    GuardedBuffer<std::uint32_t> indices(expected.size());
    launch_indices(indices.data());
    CHECK(indices.values() == expected);
}

TEST_CASE("testkit: a counting barrier tells every thread the count") {
    GuardedBuffer<int> counts(70);
    launch_barrier_count(counts.data(), 70);
    CHECK(counts.values() == std::vector<int>(70, 35));
}

TEST_CASE("testkit: atomics lose nothing under any schedule") {
    for_each_schedule([] {
        GuardedBuffer<int> counts(std::vector<int>{0, -1, 1000000, 0});
        GuardedBuffer<double> total(std::vector<double>{0.0});
        launch_atomics(counts.data(), total.data(), 5, 96);
        CHECK(counts.values() == std::vector<int>{480, 479, 0, 255});
        CHECK(total.data()[0] == 240.0);
        return bytes_of(counts, total);
    });
}

TEST_CASE("testkit: a barrier that some threads never reach is reported") {
    const std::string story = fault_of(launch_exits_before_barrier);
    CHECK(contains(story, "exits_before_barrier_kernel"));
    CHECK(contains(story, "block (0, 0, 0), thread (32, 0, 0)"));
    CHECK(contains(story, "divergent barrier"));
    CHECK(contains(story, "has exited"));
}

TEST_CASE("testkit: threads at two different barriers are reported") {
    const std::string story = fault_of(launch_waits_at_two_barriers);
    CHECK(contains(story, "divergent barrier"));
    CHECK(contains(story, "thread (0, 0, 0) waits at testkit_kernels.cpp:"));
    CHECK(contains(story, "waits at the barrier at testkit_kernels.cpp:"));
}

TEST_CASE("testkit: a lane missing from a shuffle or a vote is reported") {
    std::string story = fault_of(launch_shuffle_without_lane);
    CHECK(contains(story, "__shfl_xor_sync at testkit_kernels.cpp:"));
    CHECK(contains(story, "the mask names lane 5, which has exited"));
    story = fault_of(launch_vote_without_lane);
    CHECK(contains(story, "__any_sync"));
    CHECK(contains(story, "the mask names lane 5, which waits at the barrier"));
    story = fault_of(launch_mask_beyond_block);
    CHECK(contains(story, "the mask names lane 20, which is not in the block"));
}

TEST_CASE("testkit: a mask without its caller or its source is reported") {
    CHECK(contains(fault_of(launch_mask_without_caller), "does not name the calling lane 16"));
    CHECK(contains(fault_of(launch_shuffle_from_unnamed_lane), "reads lane 20"));
}

TEST_CASE("testkit: a race between barriers shows under another schedule") {
    std::vector<int> values(64);
    std::iota(values.begin(), values.end(), 0);
    const auto run = [&values](bool with_barrier) {
        for_each_schedule([&] {
            GuardedBuffer<int> reversed(values.size());
            launch_reverse(values.data(), reversed.data(), 64, with_barrier);
            return bytes_of(reversed);
        });
    };
    CHECK_NOTHROW(run(true));
    CHECK(contains(fault_of([&] { run(false); }), "depends on the order of the threads"));
}

TEST_CASE("testkit: a warp that runs ahead shows a missing barrier at the end of a loop") {
    const auto run = [](bool with_second_barrier) {
        for_each_schedule([&] {
            GuardedBuffer<int> sums(128);
            launch_tile_votes(sums.data(), 3, with_second_barrier);
            return bytes_of(sums);
        });
    };
    CHECK_NOTHROW(run(true));
    CHECK(contains(fault_of([&] { run(false); }), "depends on the order of the threads"));
}

TEST_CASE("testkit: shared memory left by another block shows under another schedule") {
    const std::string story = fault_of([] {
        for_each_schedule([] {
            GuardedBuffer<int> seen(4);
            launch_reads_stale_shared(seen.data(), 4);
            return bytes_of(seen);
        });
    });
    CHECK(contains(story, "memory that nobody wrote"));
}

TEST_CASE("testkit: a write past a buffer names the buffer and the block") {
    GuardedBuffer<int> values(64, "values");
    const std::string story = fault_of([&] { launch_writes_past_end(values.data(), 64); });
    CHECK(contains(story, "block (2, 0, 0)"));
    CHECK(contains(story, "'values': byte 0 past its end was written"));
}

TEST_CASE("testkit: a write before a buffer is seen") {
    GuardedBuffer<int> values(4, "values");
    CHECK(values.is_whole());
    *(values.data() - 1) = 7;
    CHECK_FALSE(values.is_whole());
    CHECK(
        contains(topress::testkit::collect_guard_damage(), "byte 1 before its start was written"));
    CHECK(values.is_whole());
}

TEST_CASE("testkit: a write past dynamic shared memory is reported") {
    CHECK(contains(fault_of([] { launch_writes_past_shared(8); }),
                   "'dynamic shared memory': byte 0 past its end was written"));
}

TEST_CASE("testkit: an exception of one thread ends the launch and the next launch works") {
    CHECK_THROWS_WITH_AS(launch_throws(), "thread 3 gave up", std::runtime_error);
    GuardedBuffer<int> counts(32);
    launch_barrier_count(counts.data(), 32);
    CHECK(counts.data()[31] == 16);
}

TEST_CASE("testkit: a shape that no device takes is refused") {
    CHECK_THROWS_AS(launch_too_many_threads(), std::invalid_argument);
    CHECK_THROWS_AS(launch_barrier_count(nullptr, 0), std::invalid_argument);
}

}  // namespace topress::parity
