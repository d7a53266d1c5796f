// Bounds from the two largest logits; the sum, in chunks, where they do not decide.
#include "exit_decision.hpp"

#include <topress/kernel/fast_exp.hpp>
#include <topress/kernel/row.hpp>

#include <cmath>
#include <limits>

namespace topress::early_exit {
namespace {

using kernel::kRowLanes;

// Exponentials that are summed before the sum is looked at.
constexpr std::int64_t kChunk = 32;

// sum(exp(x - top)) of `Count` logits.
template <std::int64_t Count>
inline __attribute__((always_inline)) double sum_of_chunk(const float* logits, float top) {
    float values[Count];
    for (std::int64_t i = 0; i < Count; ++i) {
        values[i] = kernel::fast_exp(logits[i] - top);
    }
    float lanes[kRowLanes] = {};
    for (std::int64_t i = 0; i < Count; i += kRowLanes) {
        for (std::int64_t lane = 0; lane < kRowLanes; ++lane) {
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
    for (; c < classes && !(sum > enough); c += kRowLanes) {
        float rest[kRowLanes];
        for (std::int64_t lane = 0; lane < kRowLanes; ++lane) {
            rest[lane] = c + lane < classes ? logits[c + lane] : -INFINITY;  // which adds nothing
        }
        sum += sum_of_chunk<kRowLanes>(rest, top);
    }
    return sum;
}

struct LargestTwo {
    float first;
    float second;
    bool is_finite;  // all of the row; else the two mean nothing
};

// The largest two of what each of some lanes has seen.
constexpr std::int64_t kWide = 2 * kRowLanes;

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
    lanes.merge<kRowLanes>();
    return {lanes.first[0], lanes.second[0], lanes.nought[0] == 0.0F};
}

}  // namespace

ExitDecision::ExitDecision(float threshold, std::int64_t classes) : classes_(classes) {
    // S is rounded when it becomes a confidence: what is as near as that to the threshold is not
    // decided by bounds.
    constexpr double kRounding = 1e-6;
    const double largest_sum = threshold > 0.0F ? 1.0 / static_cast<double>(threshold) : INFINITY;
    const double room = largest_sum * (1 - kRounding) - 1;
    const auto others = static_cast<double>(classes - 1);
    enough_ = largest_sum * (1 + kRounding);
    sure_leave_ = static_cast<float>(room > 0 ? std::log(others / room) : INFINITY);
    sure_stay_ = static_cast<float>(enough_ > 1 ? -std::log(enough_ - 1) : INFINITY);
}

void ExitDecision::decide(const float* logits, std::int64_t rows, float* confidence) const {
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* const from = logits + row * classes_;
        const LargestTwo two = largest_two(from, classes_);
        const float apart = two.first - two.second;
        if (two.is_finite && apart >= sure_leave_) {
            confidence[row] = 1.0F;
        } else if (two.is_finite && apart < sure_stay_) {
            confidence[row] = 0.0F;
        } else {
            const float top = two.is_finite ? two.first : kernel::largest_of_row(from, classes_);
            confidence[row] = static_cast<float>(1.0 / sum_until(from, classes_, top, enough_));
        }
    }
}

}  // namespace topress::early_exit
