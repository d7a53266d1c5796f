// The exit gate on the CPU: confidence row by row in double, then one pass that keeps the order.
#include "exit_compact.hpp"
#include "exit_gate.hpp"

#include <topress/kernel/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace topress::early_exit {
namespace {

float confidence_of(const float* logits, std::int64_t classes) {
    double top = static_cast<double>(logits[0]);
    for (std::int64_t c = 1; c < classes; ++c) {
        top = std::max(top, static_cast<double>(logits[c]));
    }
    double sum = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) {
        sum += std::exp(static_cast<double>(logits[c]) - top);
    }
    return static_cast<float>(1.0 / sum);
}

}  // namespace

void exit_gate_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
    require_exit_gate(inputs, outputs);
    const std::int64_t classes = inputs.classes;
    kernel::for_each_item(inputs.batch, inputs.batch * classes, [&](std::int64_t sample) {
        outputs.confidence[sample] = confidence_of(inputs.logits + sample * classes, classes);
    });
    compact(inputs, outputs.confidence, outputs);
}

}  // namespace topress::early_exit
