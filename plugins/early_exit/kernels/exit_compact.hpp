// The second half of the exit gate on the CPU: from confidences to who leaves and who stays.
#pragma once

#include "exit_gate.hpp"

namespace topress::early_exit {

/// In the order of the samples. Shape: confidence (B), outputs as in exit_gate.hpp.
inline void compact(const ExitGateInputs& inputs,
                    const float* confidence,
                    const ExitGateOutputs& outputs) {
    std::int64_t leaving = 0;
    for (std::int64_t sample = 0; sample < inputs.batch; ++sample) {
        // NaN compares false: it stays. An address is chosen and no branch taken, because nobody
        // can predict who leaves.
        const bool leaves = confidence[sample] >= inputs.threshold;
        *(leaves ? outputs.leave + leaving : outputs.stay + (sample - leaving)) = sample;
        leaving += leaves ? 1 : 0;
    }
    outputs.counts[0] = leaving;
    outputs.counts[1] = inputs.batch - leaving;
}

}  // namespace topress::early_exit
