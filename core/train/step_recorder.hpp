// Work of a device that is recorded once and launched again at once, as one CUDA graph.
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace topress::train {

/// Records what functions launch. The recordings of one recorder share memory: replay them in the
/// order in which they were made.
class StepRecorder {
  public:
    StepRecorder() = default;
    virtual ~StepRecorder() = default;
    StepRecorder(const StepRecorder&) = delete;
    StepRecorder& operator=(const StepRecorder&) = delete;

    /// Calls `launch`: what it launches on the current stream is recorded, not done, so the tensors
    /// it makes have no values before the first replay. Returns the number of the recording. After
    /// an exception nothing is recorded any more, and there is no new number.
    /// Throws: what `launch` throws; c10::Error when something in it cannot be recorded.
    virtual std::size_t record(const std::function<void()>& launch) = 0;

    /// Launches it on the current stream, which must be the one it was recorded on.
    virtual void replay(std::size_t recording) = 0;
};

/// Null where steps cannot be recorded: on a CPU, or without topress_cuda_graph.so, which a build
/// with CUDA has in lib/topress beside the program's folder.
[[nodiscard]] std::unique_ptr<StepRecorder> make_step_recorder(c10::Device device);

}  // namespace topress::train
