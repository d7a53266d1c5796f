// Thread schedules: run one kernel under several orders of its threads and compare the bits.
#pragma once

#include <topress/testkit/fault.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace topress::testkit {

/// The order in which the kit runs the blocks of a grid, the warps of a block from one barrier to
/// the next, and the threads of a warp from one shuffle or vote to the next. All are legal on a
/// device, so a kernel must not notice.
struct Schedule {
    enum class Kind { Forward, Reverse, Shuffled };

    Kind kind = Kind::Forward;
    std::uint64_t seed = 0;  ///< of Shuffled
};

/// "forward", "reverse" or "shuffled with seed N".
std::string to_string(const Schedule& schedule);

/// The schedule that launches use now; Forward unless for_each_schedule is running.
Schedule current_schedule();

/// The schedules that for_each_schedule tries: forward twice, reverse, shuffled with two seeds.
const std::vector<Schedule>& standard_schedules();

/// Runs `run` under every standard schedule. It must prepare its outputs, launch, and return their
/// bytes (bytes_of). Finds races between barriers, reads of shared memory that nobody wrote,
/// results that depend on the order of atomics, and kernels that do not repeat themselves. Throws:
/// KernelFault naming the schedule and the first byte that differs.
void for_each_schedule(const std::function<std::vector<std::byte>()>& run);

/// The bytes of any buffers with data() and size(), one after another: what for_each_schedule
/// compares.
template <typename... Buffers>
std::vector<std::byte> bytes_of(const Buffers&... buffers) {
    std::vector<std::byte> bytes;
    const auto append = [&bytes](const auto& buffer) {
        const std::size_t size = buffer.size() * sizeof(*buffer.data());
        const std::size_t before = bytes.size();
        bytes.resize(before + size);
        if (size > 0) {
            std::memcpy(bytes.data() + before, buffer.data(), size);
        }
    };
    (append(buffers), ...);
    return bytes;
}

}  // namespace topress::testkit
