// The exit gate: who leaves and who stays, on the CPU reference and on the kernel.
#include "kernels/exit_gate.hpp"

#include "parity/support/compare.hpp"
#include "parity/support/device.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace topress::parity {
namespace {

using early_exit::ExitGateInputs;
using early_exit::ExitGateOutputs;

// One float exponential per class and their sum: a few units in the seventh digit.
constexpr Limits kConfidenceLimits{1e-12, 2e-6};
constexpr std::int64_t kUnwritten = -1;  // the 0xff bytes that outputs start with

struct Split {
    std::vector<float> confidence;
    std::vector<std::int64_t> leave;  // all B entries, kUnwritten behind the counted ones
    std::vector<std::int64_t> stay;
    std::vector<std::int64_t> counts;
};

using OnCpu = void (*)(const ExitGateInputs&, const ExitGateOutputs&);

Split run_on_cpu(OnCpu function,
                 const std::vector<float>& logits,
                 std::int64_t batch,
                 std::int64_t classes,
                 float threshold) {
    const auto size = static_cast<std::size_t>(batch);
    Split split{std::vector<float>(size),
                std::vector<std::int64_t>(size, kUnwritten),
                std::vector<std::int64_t>(size, kUnwritten),
                std::vector<std::int64_t>(2)};
    function({logits.data(), batch, classes, threshold},
             {split.confidence.data(), split.leave.data(), split.stay.data(), split.counts.data()});
    return split;
}

// What the fast path decides where nobody asks how sure the samples are.
Split decide(const std::vector<float>& logits,
             std::int64_t batch,
             std::int64_t classes,
             float threshold) {
    const auto without_confidence = [](const ExitGateInputs& inputs,
                                       const ExitGateOutputs& outputs) {
        early_exit::exit_gate_fast_cpu(inputs,
                                       {nullptr, outputs.leave, outputs.stay, outputs.counts});
    };
    return run_on_cpu(without_confidence, logits, batch, classes, threshold);
}

Split reference(const std::vector<float>& logits,
                std::int64_t batch,
                std::int64_t classes,
                float threshold) {
    return run_on_cpu(&early_exit::exit_gate_cpu, logits, batch, classes, threshold);
}

Split run_kernel(const std::vector<float>& logits,
                 std::int64_t batch,
                 std::int64_t classes,
                 float threshold) {
    const auto size = static_cast<std::size_t>(batch);
    DeviceArray<float> on_device(logits, "logits");
    Split split;
    check_repeatable([&] {
        DeviceArray<float> confidence(size, "confidence");
        DeviceArray<std::int64_t> leave(size, "leave");
        DeviceArray<std::int64_t> stay(size, "stay");
        DeviceArray<std::int64_t> counts(2, "counts");
        early_exit::launch_exit_gate({on_device.data(), batch, classes, threshold},
                                     {confidence.data(), leave.data(), stay.data(), counts.data()},
                                     stream());
        split = {confidence.values(), leave.values(), stay.values(), counts.values()};
        return bytes_of(confidence, leave, stay, counts);
    });
    return split;
}

// A threshold with about half of the samples on either side and none within rounding of it: the
// middle of the widest gap among the confidences around the median.
float threshold_between(std::vector<float> confidence) {
    if (confidence.size() < 2) {
        return 0.5f;
    }
    std::sort(confidence.begin(), confidence.end());
    std::size_t best = confidence.size() / 4;
    for (std::size_t i = best; i + 1 < confidence.size() && i <= confidence.size() * 3 / 4; ++i) {
        if (confidence[i + 1] - confidence[i] > confidence[best + 1] - confidence[best]) {
            best = i;
        }
    }
    return 0.5f * (confidence[best] + confidence[best + 1]);
}

void check_parity(std::int64_t batch, std::int64_t classes) {
    const auto logits = normal_values(batch * classes, 2.0, 17);
    const float threshold = threshold_between(reference(logits, batch, classes, 0.0f).confidence);
    const Split expected = reference(logits, batch, classes, threshold);
    const Split actual = run_kernel(logits, batch, classes, threshold);
    check_close(actual.confidence, expected.confidence, kConfidenceLimits);
    CHECK(actual.leave == expected.leave);
    CHECK(actual.stay == expected.stay);
    CHECK(actual.counts == expected.counts);
}

}  // namespace

TEST_CASE("exit_gate: the reference computes the largest softmax probability") {
    const std::vector<float> logits = {0.0f, std::log(3.0f), 5.0f, 5.0f};
    const Split split = reference(logits, 2, 2, 0.6f);
    CHECK(split.confidence[0] == doctest::Approx(0.75).epsilon(1e-6));
    CHECK(split.confidence[1] == 0.5f);
    CHECK(split.leave == std::vector<std::int64_t>{0, kUnwritten});
    CHECK(split.stay == std::vector<std::int64_t>{1, kUnwritten});
    CHECK(split.counts == std::vector<std::int64_t>{1, 1});
}

TEST_CASE("exit_gate: the fast path agrees with the reference") {
    for (const std::int64_t batch : {0, 1, 31, 257, 1024}) {
        for (const std::int64_t classes : {1, 2, 10, 33, 5000}) {
            CAPTURE(batch);
            CAPTURE(classes);
            const auto logits = normal_values(batch * classes, 2.0, 17);
            const float threshold =
                threshold_between(reference(logits, batch, classes, 0.0f).confidence);
            const Split expected = reference(logits, batch, classes, threshold);
            const Split actual =
                run_on_cpu(&early_exit::exit_gate_fast_cpu, logits, batch, classes, threshold);
            check_close(actual.confidence, expected.confidence, kConfidenceLimits);
            CHECK(actual.leave == expected.leave);
            CHECK(actual.stay == expected.stay);
            CHECK(actual.counts == expected.counts);
        }
    }
}

TEST_CASE("exit_gate: the fast path decides as the reference where nobody asks for confidence") {
    std::int64_t left = 0;
    for (const std::int64_t classes : {2, 63, 64, 65, 100, 1000, 5000}) {
        // How far the class of a sample stands above the others: from nothing to beyond doubt.
        for (const float apart : {0.0f, 3.0f, 6.0f, 12.0f, 40.0f}) {
            constexpr std::int64_t kBatch = 65;
            auto logits = normal_values(kBatch * classes, 2.0, 17);
            for (std::int64_t sample = 0; sample < kBatch; ++sample) {
                logits[static_cast<std::size_t>(sample * classes + sample % classes)] += apart;
            }
            const float between =
                threshold_between(reference(logits, kBatch, classes, 0.0f).confidence);
            for (const float threshold : {between, 0.5f, 0.9f, 0.99f, 1.0f, 1.5f, 0.0f, -1.0f}) {
                CAPTURE(classes);
                CAPTURE(apart);
                CAPTURE(threshold);
                const Split expected = reference(logits, kBatch, classes, threshold);
                const Split actual = decide(logits, kBatch, classes, threshold);
                CHECK(actual.leave == expected.leave);
                CHECK(actual.stay == expected.stay);
                CHECK(actual.counts == expected.counts);
                left += threshold > 0.0f ? actual.counts[0] : 0;
            }
        }
    }
    CHECK(left > 2000);
}

TEST_CASE("exit_gate: deciding without confidence keeps what is no number, and ties") {
    constexpr std::int64_t kClasses = 70;
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    // One sample for each value, in the last place, which no vector reaches, and in the first.
    for (const std::int64_t place : {std::int64_t{0}, kClasses - 1}) {
        std::vector<float> logits(5 * kClasses, 0.0f);
        const float values[5] = {kNan, kInfinity, -kInfinity, 50.0f, 0.0f};
        for (std::int64_t sample = 0; sample < 5; ++sample) {
            logits[static_cast<std::size_t>(sample * kClasses + 1)] = sample == 2 ? 50.0f : 0.0f;
            logits[static_cast<std::size_t>(sample * kClasses + place)] =
                values[static_cast<std::size_t>(sample)];
        }
        const Split split = decide(logits, 5, kClasses, 0.5f);
        CHECK(split.counts == std::vector<std::int64_t>{2, 3});
        CHECK(split.leave[0] == 2);  // -infinity is an answer: the class is impossible
        CHECK(split.leave[1] == 3);
        CHECK(decide(logits, 5, kClasses, kNan).counts == std::vector<std::int64_t>{0, 5});
    }
    const std::vector<float> nothing(kClasses, -kInfinity);
    CHECK(decide(nothing, 1, kClasses, 0.0f).counts == std::vector<std::int64_t>{0, 1});
}

TEST_CASE("exit_gate: on the fast path too what is not a number never leaves") {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const std::vector<float> logits = {
        kNan, 1.0f, 0.0f, kInfinity, -kInfinity, -kInfinity, -kInfinity, 0.0f};
    const Split split = run_on_cpu(&early_exit::exit_gate_fast_cpu, logits, 4, 2, 0.0f);
    CHECK(split.counts == std::vector<std::int64_t>{1, 3});
    CHECK(split.leave[0] == 3);
    CHECK(split.confidence[3] == 1.0f);
}

TEST_CASE("exit_gate: kernel agrees with the reference for every batch size") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t batch : {0, 1, 7, 8, 9, 31, 32, 33, 257, 1023, 1024, 1025}) {
        CAPTURE(batch);
        check_parity(batch, 10);
    }
}

TEST_CASE("exit_gate: kernel agrees with the reference for every number of classes") {
    TOPRESS_REQUIRE_GPU();
    // A row has 4 lanes up to 16 classes, 8 up to 128, and a second reading above 1024.
    for (const std::int64_t classes :
         {2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 127, 128, 129, 257, 1023, 1024, 1025, 2049}) {
        CAPTURE(classes);
        check_parity(13, classes);
    }
}

TEST_CASE("exit_gate: one launch and two agree with the reference around the largest small batch") {
    TOPRESS_REQUIRE_GPU();
    // 32768 logits, and a row more.
    check_parity(256, 128);
    check_parity(257, 128);
    check_parity(32, 1024);
    check_parity(33, 1024);
}

TEST_CASE("exit_gate: confidence does not depend on the batch around a sample") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t classes : {10, 100, 1000}) {
        CAPTURE(classes);
        const std::int64_t batch = 32768 / classes < 1024 ? 32768 / classes + 1 : 1025;
        const auto logits = normal_values(batch * classes, 2.0, 29);
        const std::vector<float> few(logits.begin(), logits.begin() + 3 * classes);
        const auto expected = run_kernel(few, 3, classes, 0.5f).confidence;
        const auto actual = run_kernel(logits, batch, classes, 0.5f).confidence;
        CHECK(std::vector<float>(actual.begin(), actual.begin() + 3) == expected);
    }
}

TEST_CASE("exit_gate: kernel keeps the order over several tiles") {
    TOPRESS_REQUIRE_GPU();
    check_parity(2051, 3);
    // 33 tiles: more than blocks, so that a block has two and the last has one.
    check_parity(32 * 1024 + 5, 2);
}

TEST_CASE("exit_gate: all leave at threshold zero and none above one") {
    TOPRESS_REQUIRE_GPU();
    const auto logits = normal_values(70 * 5, 1.0, 23);
    CHECK(run_kernel(logits, 70, 5, 0.0f).counts == std::vector<std::int64_t>{70, 0});
    CHECK(run_kernel(logits, 70, 5, 1.5f).counts == std::vector<std::int64_t>{0, 70});
}

TEST_CASE("exit_gate: a confidence equal to the threshold leaves") {
    TOPRESS_REQUIRE_GPU();
    // Two equal logits: exactly one half on every machine. One class: exactly one.
    const std::vector<float> logits(6, 3.0f);
    CHECK(run_kernel(logits, 3, 2, 0.5f).leave == std::vector<std::int64_t>{0, 1, 2});
    CHECK(run_kernel(logits, 6, 1, 1.0f).counts == std::vector<std::int64_t>{6, 0});
}

TEST_CASE("exit_gate: samples without a finite confidence never leave") {
    TOPRESS_REQUIRE_GPU();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> logits = {nan,
                                       1.0f,
                                       2.0f,  //
                                       9.0f,
                                       nan,
                                       2.0f,  //
                                       infinity,
                                       1.0f,
                                       2.0f,  //
                                       -infinity,
                                       -infinity,
                                       -infinity,  //
                                       -infinity,
                                       9.0f,
                                       -infinity};
    for (const Split& split : {reference(logits, 5, 3, 0.0f), run_kernel(logits, 5, 3, 0.0f)}) {
        CHECK(split.counts == std::vector<std::int64_t>{1, 4});
        CHECK(split.leave[0] == 4);
        CHECK(split.confidence[4] == 1.0f);
        for (const std::size_t sample : {0, 1, 2, 3}) {
            CHECK(std::isnan(split.confidence[sample]));
            CHECK(split.stay[sample] == static_cast<std::int64_t>(sample));
        }
    }
}

TEST_CASE("exit_gate: rows whose lanes or chunks hold only -infinity have a confidence") {
    TOPRESS_REQUIRE_GPU();
    const float infinity = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const std::int64_t classes : {5, 40, 200, 2050}) {
        CAPTURE(classes);
        std::vector<float> logits(static_cast<std::size_t>(4 * classes), -infinity);
        const auto at = [&](std::int64_t sample, std::int64_t c) -> float& {
            return logits[static_cast<std::size_t>(sample * classes + c)];
        };
        at(0, classes - 1) = -3.0f;  // the only class that is possible
        at(1, 0) = 2.0f;
        at(1, classes - 1) = nan;
        at(2, 0) = infinity;
        const Split split = run_kernel(logits, 4, classes, 0.0f);
        CHECK(split.confidence[0] == 1.0f);
        for (const std::size_t sample : {1, 2, 3}) {
            CHECK(std::isnan(split.confidence[sample]));
        }
        CHECK(split.counts == std::vector<std::int64_t>{1, 3});
    }
}

TEST_CASE("exit_gate: nobody leaves through a threshold that is NaN") {
    TOPRESS_REQUIRE_GPU();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(run_kernel({1.0f, 2.0f}, 1, 2, nan).counts == std::vector<std::int64_t>{0, 1});
}

TEST_CASE("exit_gate: wrong arguments are refused") {
    float value = 0.0f;
    std::int64_t index[2] = {};
    const auto refuses = [](const ExitGateInputs& inputs, const ExitGateOutputs& outputs) {
        CHECK_THROWS_AS(early_exit::exit_gate_cpu(inputs, outputs), std::invalid_argument);
        CHECK_THROWS_AS(early_exit::launch_exit_gate(inputs, outputs, stream()),
                        std::invalid_argument);
    };
    const ExitGateOutputs outputs{&value, index, index, index};
    refuses({&value, -1, 1, 0.5f}, outputs);
    refuses({&value, 1, 0, 0.5f}, outputs);
    refuses({nullptr, 1, 1, 0.5f}, outputs);
    refuses({&value, 1, 1, 0.5f}, {nullptr, index, index, index});
    refuses({nullptr, 0, 0, 0.5f}, {});
}

}  // namespace topress::parity
