// The exit gate on the CPU: confidence row by row, then one pass that keeps the order.
#include "exit_gate.hpp"

#include <topress/kernel/fast_exp.hpp>
#include <topress/kernel/parallel.hpp>
#include <topress/kernel/row.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
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

// From here on deciding pays; the exponentials of fewer classes are better done side by side.
constexpr std::int64_t kManyClasses = 64;
// Exponentials that are summed before the sum is looked at, and the vectors they are summed in.
constexpr std::int64_t kChunk = 32;
constexpr std::int64_t kLanes = 8;

// sum(exp(x - top)) of `Count` logits.
template <std::int64_t Count>
inline __attribute__((always_inline)) double sum_of_chunk(const float* logits, float top) {
    float values[Count];
    for (std::int64_t i = 0; i < Count; ++i) {
        values[i] = kernel::fast_exp(logits[i] - top);
    }
    float lanes[kLanes] = {};
    for (std::int64_t i = 0; i < Count; i += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            lanes[lane] += values[i + lane];
        }
    }
    return static_cast<double>(((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
                               ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])));
}

// sum(exp(x - top)), or a part of it that is above `enough`: terms are not negative.
TOPRESS_VECTOR_CLONES
double sum_until(const float* logits, std::int64_t classes, float top, double enough) {
    double sum = 0.0;
    std::int64_t c = 0;
    for (; c + kChunk <= classes && !(sum > enough); c += kChunk) {
        sum += sum_of_chunk<kChunk>(logits + c, top);
    }
    for (; c < classes && !(sum > enough); c += kLanes) {
        float rest[kLanes];
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            rest[lane] = c + lane < classes ? logits[c + lane] : -INFINITY;  // which adds nothing
        }
        sum += sum_of_chunk<kLanes>(rest, top);
    }
    return sum;
}

struct LargestTwo {
    float first;
    float second;
    bool is_finite;  // all of the row; else the two mean nothing
};

// The largest two of what each of some lanes has seen.
constexpr std::int64_t kWide = 2 * kLanes;

struct LargestTwoInLanes {
    float first[kWide];
    float second[kWide];
    float nought[kWide];  // 0, or NaN where a value was not finite

    __attribute__((always_inline)) void see(const float* values) {
        for (std::int64_t lane = 0; lane < kWide; ++lane) {
            const float value = values[lane];
            const float lesser = value < first[lane] ? value : first[lane];
            first[lane] = value < first[lane] ? first[lane] : value;
            second[lane] = second[lane] < lesser ? lesser : second[lane];
            nought[lane] += value * 0.0F;
        }
    }

    // Of each lane and the one `Half` further, down to the first lane.
    template <std::int64_t Half>
    __attribute__((always_inline)) void merge() {
        for (std::int64_t lane = 0; lane < Half; ++lane) {
            const float there = first[lane + Half];
            const float lesser = there < first[lane] ? there : first[lane];
            first[lane] = there < first[lane] ? first[lane] : there;
            second[lane] = second[lane] < second[lane + Half] ? second[lane + Half] : second[lane];
            second[lane] = second[lane] < lesser ? lesser : second[lane];
            nought[lane] += nought[lane + Half];
        }
        if constexpr (Half > 1) {
            merge<Half / 2>();
        }
    }
};

TOPRESS_VECTOR_CLONES
LargestTwo largest_two(const float* logits, std::int64_t classes) {
    constexpr float kLowest = std::numeric_limits<float>::lowest();
    LargestTwoInLanes lanes;
    for (std::int64_t lane = 0; lane < kWide; ++lane) {
        lanes.first[lane] = kLowest;
        lanes.second[lane] = kLowest;
        lanes.nought[lane] = 0.0F;
    }
    std::int64_t c = 0;
    for (; c + kWide <= classes; c += kWide) {
        lanes.see(logits + c);
    }
    if (c < classes) {
        float rest[kWide];
        for (std::int64_t lane = 0; lane < kWide; ++lane) {
            rest[lane] = c + lane < classes ? logits[c + lane] : kLowest;
        }
        lanes.see(rest);
    }
    lanes.merge<kLanes>();
    return {lanes.first[0], lanes.second[0], lanes.nought[0] == 0.0F};
}

// What is enough to know of a row. Its sum lies between that of its two largest logits and that of
// a row in which all but the largest are as large as the second, which decides most rows.
struct Decision {
    double enough;     // a sample whose sum is above it stays
    float sure_leave;  // so does none whose two largest logits are at least this far apart
    float sure_stay;   // and one where they are nearer than this does

    Decision(float threshold, std::int64_t classes) {
        // A sum is rounded when it becomes a confidence: what is as near as that to the threshold
        // is not decided here.
        constexpr double kRounding = 1e-6;
        const double largest_sum =
            threshold > 0.0F ? 1.0 / static_cast<double>(threshold) : INFINITY;
        const double room = largest_sum * (1 - kRounding) - 1;
        enough = largest_sum * (1 + kRounding);
        const auto others = static_cast<double>(classes - 1);
        sure_leave = static_cast<float>(room > 0 ? std::log(others / room) : INFINITY);
        sure_stay = static_cast<float>(enough > 1 ? -std::log(enough - 1) : INFINITY);
    }
};

// As confidence_of_rows, or anything on the same side of the threshold.
void decide_rows(const float* logits,
                 std::int64_t rows,
                 std::int64_t classes,
                 const Decision& decision,
                 float* confidence) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* const from = logits + row * classes;
        const LargestTwo two = largest_two(from, classes);
        const float apart = two.first - two.second;
        if (two.is_finite && apart >= decision.sure_leave) {
            confidence[row] = 1.0F;
        } else if (two.is_finite && apart < decision.sure_stay) {
            confidence[row] = 0.0F;
        } else {
            const float top = two.is_finite ? two.first : kernel::largest_of_row(from, classes);
            const double sum = sum_until(from, classes, top, decision.enough);
            confidence[row] = static_cast<float>(1.0 / sum);
        }
    }
}

// Who leaves and who stays, in the order of the samples.
void compact(const ExitGateInputs& inputs,
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
    const Decision decision(inputs.threshold, classes);
    const std::int64_t rows = std::max<std::int64_t>(1, kBlock / classes);
    const std::int64_t items = (inputs.batch + rows - 1) / rows;
    kernel::for_each_item(items, inputs.batch * classes, [&](std::int64_t item) {
        const std::int64_t first = item * rows;
        const std::int64_t count = std::min(inputs.batch - first, rows);
        const float* const from = inputs.logits + first * classes;
        if (stops_early) {
            decide_rows(from, count, classes, decision, confidence + first);
        } else {
            confidence_of_rows(from, count, classes, confidence + first);
        }
    });
    compact(inputs, confidence, outputs);
}

void exit_gate_cpu(const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
    require_exit_gate(inputs, outputs);
    const std::int64_t classes = inputs.classes;
    kernel::for_each_item(inputs.batch, inputs.batch * classes, [&](std::int64_t sample) {
        outputs.confidence[sample] = confidence_of(inputs.logits + sample * classes, classes);
    });
    compact(inputs, outputs.confidence, outputs);
}

}  // namespace topress::early_exit
