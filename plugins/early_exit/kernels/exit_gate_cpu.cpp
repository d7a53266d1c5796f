// The exit gate on the CPU: confidence row by row, then one pass that keeps the order.
#include "exit_gate.hpp"

#include <topress/kernel/fast_exp.hpp>
#include <topress/kernel/parallel.hpp>
#include <topress/kernel/row.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

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

// Values that one item of work holds at a time: they stay in the first-level cache.
constexpr std::int64_t kBlock = 4096;

// Confidence of some rows: the exponentials of all of them side by side, so that few classes fill
// vectors too.
void confidence_of_rows(const float* logits,
                        std::int64_t rows,
                        std::int64_t classes,
                        float* confidence) {
    std::vector<float> values(static_cast<std::size_t>(rows * classes));
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* const from = logits + row * classes;
        float* const to = values.data() + row * classes;
        const float top = kernel::largest_of_row(from, classes);
        for (std::int64_t c = 0; c < classes; ++c) {
            to[c] = from[c] - top;
        }
    }
    kernel::exp_in_place(values.data(), rows * classes);
    for (std::int64_t row = 0; row < rows; ++row) {
        const double sum = kernel::sum_of_row(values.data() + row * classes, classes);
        confidence[row] = static_cast<float>(1.0 / sum);
    }
}

// Who leaves and who stays, in the order of the samples.
void compact(const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
    std::int64_t leaving = 0;
    for (std::int64_t sample = 0; sample < inputs.batch; ++sample) {
        // NaN compares false: it stays. An address is chosen and no branch taken, because nobody
        // can predict who leaves.
        const bool leaves = outputs.confidence[sample] >= inputs.threshold;
        *(leaves ? outputs.leave + leaving : outputs.stay + (sample - leaving)) = sample;
        leaving += leaves ? 1 : 0;
    }
    outputs.counts[0] = leaving;
    outputs.counts[1] = inputs.batch - leaving;
}

}  // namespace

void exit_gate_fast_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
    require_exit_gate(inputs, outputs);
    const std::int64_t classes = std::max<std::int64_t>(inputs.classes, 1);
    const std::int64_t rows = std::max<std::int64_t>(1, kBlock / classes);
    const std::int64_t items = (inputs.batch + rows - 1) / rows;
    kernel::for_each_item(items, inputs.batch * classes, [&](std::int64_t item) {
        const std::int64_t first = item * rows;
        const std::int64_t last = std::min(inputs.batch, first + rows);
        confidence_of_rows(
            inputs.logits + first * classes, last - first, classes, outputs.confidence + first);
    });
    compact(inputs, outputs);
}

void exit_gate_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
    require_exit_gate(inputs, outputs);
    const std::int64_t classes = inputs.classes;
    kernel::for_each_item(inputs.batch, inputs.batch * classes, [&](std::int64_t sample) {
        outputs.confidence[sample] = confidence_of(inputs.logits + sample * classes, classes);
    });
    compact(inputs, outputs);
}

}  // namespace topress::early_exit
