// The exit gate as it runs without a device: exponentials side by side, or none where nobody asks.
#include "exit_compact.hpp"
#include "exit_decision.hpp"
#include "exit_gate.hpp"

#include <topress/kernel/fast_exp.hpp>
#include <topress/kernel/parallel.hpp>
#include <topress/kernel/row.hpp>

#include <algorithm>
#include <vector>

namespace topress::early_exit {
namespace {

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

}  // namespace

void exit_gate_fast_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
    require_exit_gate(inputs, outputs, false);
    std::vector<float> decided;
    float* confidence = outputs.confidence;
    if (confidence == nullptr) {
        decided.resize(static_cast<std::size_t>(inputs.batch));
        confidence = decided.data();
    }
    const bool stops_early = outputs.confidence == nullptr && inputs.classes >= kManyClasses;
    const std::int64_t classes = std::max<std::int64_t>(inputs.classes, 1);
    const ExitDecision decision(inputs.threshold, classes);
    const std::int64_t rows = std::max<std::int64_t>(1, kBlock / classes);
    const std::int64_t items = (inputs.batch + rows - 1) / rows;
    kernel::for_each_item(items, inputs.batch * classes, [&](std::int64_t item) {
        const std::int64_t first = item * rows;
        const std::int64_t count = std::min(inputs.batch - first, rows);
        const float* const from = inputs.logits + first * classes;
        if (stops_early) {
            decision.decide(from, count, confidence + first);
        } else {
            confidence_of_rows(from, count, classes, confidence + first);
        }
    });
    compact(inputs, confidence, outputs);
}

}  // namespace topress::early_exit
