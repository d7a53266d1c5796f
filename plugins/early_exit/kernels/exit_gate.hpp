// The exit gate, which splits a batch by confidence: contract of CPU reference and CUDA launcher.
#pragma once

#include <topress/kernel/arguments.hpp>

#include <cstdint>

namespace topress::early_exit {

/// Logits at an exit. Shape: logits (B, C) row-major.
struct ExitGateInputs {
    const float* logits = nullptr;
    std::int64_t batch = 0;
    std::int64_t classes = 0;
    float threshold = 1.0f;  ///< a sample leaves when its confidence is at least this
};

/// Who leaves and who stays.
/// Shape: confidence (B), which exit_gate_fast_cpu may do without; leave (B) and stay (B), of which
/// counts[0] and counts[1] entries are written, in ascending order, the rest is left as it was;
/// counts (2).
struct ExitGateOutputs {
    float* confidence = nullptr;
    std::int64_t* leave = nullptr;
    std::int64_t* stay = nullptr;
    std::int64_t* counts = nullptr;
};

/// Confidence is the largest softmax probability, 1 / sum(exp(x - max)). Logits that hold NaN or
/// +infinity, or are all -infinity, give NaN, and such a sample never leaves.
/// Throws: std::invalid_argument for null pointers, negative sizes, a batch without classes.
/// Cost:   4 bytes per logit read twice, 20 bytes per sample written.
void exit_gate_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs);

/// The same with exponentials in float, all of a block of rows side by side: what runs without a
/// device. Confidence differs from exit_gate_cpu's by less than 1e-6 of it, and so may the side of
/// a sample that stands exactly at the threshold. Where confidence is null, a row of many classes
/// is read only until its sum says that the sample stays. Throws: as exit_gate_cpu, but not for a
/// null confidence. Cost: at most that of exit_gate_cpu.
void exit_gate_fast_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs);

/// The same on the device: one launch for up to 1024 samples with up to 32768 logits in all, else
/// one for confidence and one that compacts. Equal bits for equal inputs, the order of the samples
/// is kept, and a sample's confidence does not depend on the batch around it. Confidence differs
/// from the CPU's by rounding, so may the side of a sample that stands exactly at the threshold.
/// `stream` is a cudaStream_t.
/// Throws: as exit_gate_cpu; std::runtime_error when a launch fails.
/// Cost:   4 bytes per logit, read twice above 1024 classes; 20 bytes per sample written.
void launch_exit_gate(const ExitGateInputs& inputs, const ExitGateOutputs& outputs, void* stream);

/// The argument check of all three. Throws: std::invalid_argument.
inline void require_exit_gate(const ExitGateInputs& inputs,
                              const ExitGateOutputs& outputs,
                              bool needs_confidence = true) {
    using kernel::require;
    require(inputs.batch >= 0 && inputs.classes >= 0, "exit_gate: a size is negative");
    require(outputs.counts != nullptr, "exit_gate: counts is null");
    if (inputs.batch == 0) {
        return;
    }
    require(inputs.classes > 0, "exit_gate: a sample needs at least one class");
    require(inputs.logits != nullptr, "exit_gate: logits is null");
    require((outputs.confidence != nullptr || !needs_confidence) && outputs.leave != nullptr &&
                outputs.stay != nullptr,
            "exit_gate: an output is null");
}

}  // namespace topress::early_exit
