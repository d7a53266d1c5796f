// threadIdx, blockIdx, blockDim and gridDim: set by the engine whenever it switches to a thread.
#pragma once

#include <topress/testkit/fault.hpp>

namespace topress::testkit {

extern Index3 thread_index;
extern Index3 block_index;
extern Index3 block_extent;
extern Index3 grid_extent;

}  // namespace topress::testkit
