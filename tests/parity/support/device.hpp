// Where the kernel of a parity case runs: the test kit, or the device with TOPRESS_PARITY_ON_GPU.
#pragma once

#if defined(TOPRESS_PARITY_ON_GPU)
#include "parity/support/gpu.hpp"
#else
#include <topress/testkit/guarded_buffer.hpp>
#include <topress/testkit/schedule.hpp>

namespace topress::parity {

/// An input or output of a kernel, in memory the kernel can reach, between guard bands.
template <typename T>
using DeviceArray = topress::testkit::GuardedBuffer<T>;

/// The stream to launch on.
inline void* stream() {
    return nullptr;
}

/// Runs `run` (fresh outputs, launch, return bytes) several times: all must give the same bits.
template <typename Run>
void check_repeatable(const Run& run) {
    topress::testkit::for_each_schedule(run);
}

using topress::testkit::bytes_of;

}  // namespace topress::parity

/// First line of every case that launches: skips it, visibly, where nothing can run it.
#define TOPRESS_REQUIRE_GPU() static_cast<void>(0)
#endif
