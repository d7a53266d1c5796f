// Settings of the whole process that a plugin may move: noted before a stage, set back after it.
#pragma once

#include "base/diagnostic.hpp"

#include <ATen/core/Generator.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace topress::pipeline {

/// Settings of LibTorch, of the processor and of the process. What other threads have of their own
/// (gradient mode, rounding) cannot be seen from here.
struct GlobalState {
    bool gradients = true;
    int default_type = 0;
    int threads = 0;
    bool deterministic = false;
    std::uint32_t float_mode = 0;  ///< MXCSR control bits: rounding, flush to zero
    std::string folder;            ///< the current directory
    std::string locale;

    bool operator==(const GlobalState&) const = default;
};

[[nodiscard]] GlobalState read_global_state();

/// Sets everything back to `wanted`; an error check/global-state for each setting that had moved.
[[nodiscard]] Diagnostics restore_global_state(const GlobalState& wanted, const std::string& label);

/// ATen's own random numbers during a stage: they start at a place that follows from the seed, and
/// what the stage draws moves nobody else's. So a plugin that calls at::rand() gives the same
/// result alone, after other stages, in a resumed run and in a process of its own.
class StageRandomness {
  public:
    StageRandomness(std::uint64_t seed, const std::string& label, c10::Device device);
    ~StageRandomness();
    StageRandomness(const StageRandomness&) = delete;
    StageRandomness& operator=(const StageRandomness&) = delete;

  private:
    std::vector<std::pair<at::Generator, at::Tensor>> before_;
};

}  // namespace topress::pipeline
