// Distillation loss: the CPU reference against finite differences, the kernel against the
// reference.
#include "kernels/kd_loss.hpp"

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

using distillation::KdLossInputs;
using distillation::KdLossOutputs;
using distillation::KdLossParameters;

// Float exponentials and sums over up to 257 classes: a few units in the seventh digit per term,
// which T^2 = 16 and the differences of probabilities enlarge to about 1e-5.
// Two standardised classes are always +-0.7: student and teacher agree, and all is zero but for
// rounding.
constexpr Limits kFloatLimits{1e-10, 2e-5, 1e-2};

struct Batch {
    std::int64_t size;
    std::int64_t classes;
    std::vector<float> student;
    std::vector<float> teacher;
    std::vector<std::int64_t> labels;
};

Batch make_batch(std::int64_t size, std::int64_t classes, std::uint64_t seed) {
    Batch batch{size,
                classes,
                normal_values(size * classes, 3.0, seed),
                normal_values(size * classes, 4.0, seed + 1),
                {}};
    for (std::int64_t sample = 0; sample < size; ++sample) {
        batch.labels.push_back((sample * 7 + 3) % classes);
    }
    return batch;
}

struct Result {
    std::vector<float> loss;
    std::vector<float> sample_loss;
    std::vector<float> gradient;
};

using OnCpu = void (*)(const KdLossInputs<float>&,
                       const KdLossParameters&,
                       const KdLossOutputs<float>&);

Result run_on_cpu(OnCpu function, const Batch& batch, const KdLossParameters& parameters) {
    Result result{
        {0.0f}, std::vector<float>(batch.labels.size()), std::vector<float>(batch.student.size())};
    function({batch.student.data(),
              batch.teacher.data(),
              batch.labels.data(),
              batch.size,
              batch.classes},
             parameters,
             {result.loss.data(), result.sample_loss.data(), result.gradient.data()});
    return result;
}

Result reference(const Batch& batch, const KdLossParameters& parameters) {
    return run_on_cpu(&distillation::kd_loss_cpu<float>, batch, parameters);
}

Result fast(const Batch& batch, const KdLossParameters& parameters) {
    return run_on_cpu(&distillation::kd_loss_fast_cpu, batch, parameters);
}

Result run_kernel(const Batch& batch, const KdLossParameters& parameters) {
    DeviceArray<float> student(batch.student, "student");
    DeviceArray<float> teacher(batch.teacher, "teacher");
    DeviceArray<std::int64_t> labels(batch.labels, "labels");
    Result result;
    check_repeatable([&] {
        DeviceArray<float> loss(1, "loss");
        DeviceArray<float> sample_loss(batch.labels.size(), "sample_loss");
        DeviceArray<float> gradient(batch.student.size(), "gradient");
        distillation::launch_kd_loss(
            {student.data(), teacher.data(), labels.data(), batch.size, batch.classes},
            parameters,
            {loss.data(), sample_loss.data(), gradient.data()},
            stream());
        result = {loss.values(), sample_loss.values(), gradient.values()};
        return bytes_of(loss, sample_loss, gradient);
    });
    return result;
}

void check_parity(const Batch& batch, const KdLossParameters& parameters) {
    const Result expected = reference(batch, parameters);
    const Result actual = run_kernel(batch, parameters);
    check_close(actual.loss, expected.loss, kFloatLimits);
    check_close(actual.sample_loss, expected.sample_loss, kFloatLimits);
    check_close(actual.gradient, expected.gradient, kFloatLimits);
}

// Loss of a batch in double, for finite differences.
double loss_of(const std::vector<double>& student,
               const std::vector<double>& teacher,
               const std::vector<std::int64_t>& labels,
               const KdLossParameters& parameters,
               std::vector<double>& gradient) {
    const std::int64_t batch = static_cast<std::int64_t>(labels.size());
    const std::int64_t classes = static_cast<std::int64_t>(student.size()) / batch;
    std::vector<double> sample_loss(labels.size());
    double loss = 0.0;
    distillation::kd_loss_cpu<double>(
        {student.data(), teacher.data(), labels.data(), batch, classes},
        parameters,
        {&loss, sample_loss.data(), gradient.data()});
    return loss;
}

void check_gradient(std::int64_t classes, const KdLossParameters& parameters) {
    const Batch batch = make_batch(3, classes, 11);
    std::vector<double> student(batch.student.begin(), batch.student.end());
    const std::vector<double> teacher(batch.teacher.begin(), batch.teacher.end());
    std::vector<double> gradient(student.size());
    std::vector<double> unused(student.size());
    loss_of(student, teacher, batch.labels, parameters, gradient);
    constexpr double kStep = 1e-5;       // truncation error about kStep^2 = 1e-10
    constexpr double kTolerance = 1e-8;  // plus rounding of the loss over kStep: 1e-15 / 1e-5
    for (std::size_t i = 0; i < student.size(); ++i) {
        CAPTURE(i);
        const double at = student[i];
        student[i] = at + kStep;
        const double above = loss_of(student, teacher, batch.labels, parameters, unused);
        student[i] = at - kStep;
        const double below = loss_of(student, teacher, batch.labels, parameters, unused);
        student[i] = at;
        CHECK(std::abs((above - below) / (2 * kStep) - gradient[i]) <= kTolerance);
    }
}

const std::vector<KdLossParameters> kVariants = {
    {0.1f, 0.9f, 4.0f, false, 0.0f},  // plain distillation
    {1.0f, 9.0f, 2.0f, true, 0.0f},   // logit standardisation
    {1.0f, 0.0f, 1.0f, false, 0.1f},  // cross entropy with smoothing
    {0.0f, 1.0f, 3.0f, true, 0.0f},   // teacher only
};

}  // namespace

TEST_CASE("kd_loss: the gradient of the reference agrees with finite differences") {
    for (const KdLossParameters& parameters : kVariants) {
        CAPTURE(parameters.distillation_weight);
        for (const std::int64_t classes : {1, 2, 10, 37}) {
            CAPTURE(classes);
            check_gradient(classes, parameters);
        }
    }
}

TEST_CASE("kd_loss: a loss worked out by hand") {
    // Student (0, ln 3): probabilities 1/4 and 3/4. Teacher (0, 0): 1/2 each. T = 1, label 0.
    const std::vector<double> student = {0.0, std::log(3.0)};
    std::vector<double> gradient(2);
    const double loss =
        loss_of(student, {0.0, 0.0}, {0}, {0.5f, 2.0f, 1.0f, false, 0.0f}, gradient);
    const double cross_entropy = std::log(4.0);
    const double divergence = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
    CHECK(loss == doctest::Approx(0.5 * cross_entropy + 2.0 * divergence).epsilon(1e-12));
    CHECK(gradient[0] == doctest::Approx(0.5 * (0.25 - 1.0) + 2.0 * (0.25 - 0.5)).epsilon(1e-12));
    CHECK(gradient[1] == doctest::Approx(0.5 * 0.75 + 2.0 * (0.75 - 0.5)).epsilon(1e-12));
}

TEST_CASE("kd_loss: standardised logits ignore shift and scale of the teacher") {
    const std::vector<double> student = {1.0, -2.0, 0.5};
    const KdLossParameters parameters{0.0f, 1.0f, 2.0f, true, 0.0f};
    std::vector<double> first(3);
    std::vector<double> second(3);
    const double loss = loss_of(student, {1.0, 3.0, -2.0}, {0}, parameters, first);
    const double shifted = loss_of(student, {15.0, 25.0, 0.0}, {0}, parameters, second);
    CHECK(loss == doctest::Approx(shifted).epsilon(1e-12));
    // A student equal to the teacher up to shift and scale has nothing to learn.
    const double equal = loss_of(student, {5.0, -1.0, 4.0}, {0}, parameters, first);
    CHECK(std::abs(equal) < 1e-12);
    CHECK(std::abs(first[0]) + std::abs(first[1]) + std::abs(first[2]) < 1e-12);
}

TEST_CASE("kd_loss: the fast path agrees with the reference") {
    for (const bool standardise : {false, true}) {
        for (const float smoothing : {0.0f, 0.1f}) {
            for (const std::int64_t size : {0, 1, 37, 500}) {
                for (const std::int64_t classes : {1, 2, 10, 100, 257}) {
                    CAPTURE(standardise);
                    CAPTURE(smoothing);
                    CAPTURE(size);
                    CAPTURE(classes);
                    if (standardise && classes == 2 && size == 500) {
                        continue;  // true value 0; a pair of close logits enlarges rounding
                    }
                    KdLossParameters parameters;
                    parameters.standardise = standardise;
                    parameters.label_smoothing = smoothing;
                    const Batch batch = make_batch(size, classes, 5);
                    const Result expected = reference(batch, parameters);
                    const Result actual = fast(batch, parameters);
                    check_close(actual.loss, expected.loss, kFloatLimits);
                    check_close(actual.sample_loss, expected.sample_loss, kFloatLimits);
                    check_close(actual.gradient, expected.gradient, kFloatLimits);
                }
            }
        }
    }
}

TEST_CASE("kd_loss: the fast path keeps what is not a number, and what is constant") {
    Batch batch = make_batch(3, 4, 9);
    batch.labels[1] = 4;
    batch.student[9] = std::numeric_limits<float>::quiet_NaN();
    KdLossParameters parameters;
    parameters.standardise = true;
    const Result broken = fast(batch, parameters);
    CHECK_FALSE(std::isnan(broken.sample_loss[0]));
    for (std::size_t i = 4; i < 12; ++i) {
        CHECK(std::isnan(broken.gradient[i]));
    }
    std::fill(batch.student.begin(), batch.student.begin() + 4, 2.0f);
    const Result constant = fast(batch, parameters);
    const Result expected = reference(batch, parameters);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(constant.gradient[i] == doctest::Approx(expected.gradient[i]).epsilon(1e-5));
    }
}

TEST_CASE("kd_loss: kernel agrees with the reference for every batch size") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t size : {0, 1, 31, 32, 33, 257}) {
        CAPTURE(size);
        check_parity(make_batch(size, 10, 21), kVariants[1]);
    }
}

TEST_CASE("kd_loss: kernel agrees with the reference for every number of classes") {
    TOPRESS_REQUIRE_GPU();
    for (const KdLossParameters& parameters : kVariants) {
        CAPTURE(parameters.distillation_weight);
        // Up to 16, 32, 64 and 128 classes another number of lanes shares a sample.
        for (const std::int64_t classes : {1, 2, 16, 17, 31, 32, 33, 64, 65, 128, 129, 257}) {
            CAPTURE(classes);
            check_parity(make_batch(3, classes, 31), parameters);
        }
    }
}

TEST_CASE("kd_loss: kernel agrees with the reference on a large batch") {
    TOPRESS_REQUIRE_GPU();
    check_parity(make_batch(517, 10, 41), kVariants[1]);
    check_parity(make_batch(37, 131, 42), kVariants[1]);
}

TEST_CASE("kd_loss: the mean takes every sample of a large batch") {
    TOPRESS_REQUIRE_GPU();
    // Above 256 samples 1024 threads add them up, each 8 at a time: one sample left out of 8193
    // shifts the mean by six times the limit. One launch each: schedules are for small batches.
    for (const std::int64_t size : {256, 257, 1025, 8193}) {
        CAPTURE(size);
        const Batch batch = make_batch(size, 2, 43);
        DeviceArray<float> student(batch.student);
        DeviceArray<std::int64_t> labels(batch.labels);
        DeviceArray<float> loss(1);
        DeviceArray<float> sample_loss(batch.labels.size());
        DeviceArray<float> gradient(batch.student.size());
        distillation::launch_kd_loss(
            {student.data(), nullptr, labels.data(), batch.size, batch.classes},
            kVariants[2],
            {loss.data(), sample_loss.data(), gradient.data()},
            stream());
        check_close(loss.values(), reference(batch, kVariants[2]).loss, kFloatLimits);
    }
}

TEST_CASE("kd_loss: a label out of range makes the loss and that gradient NaN") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t classes : {10, 40}) {
        CAPTURE(classes);
        Batch batch = make_batch(5, classes, 51);
        batch.labels[1] = classes;
        batch.labels[3] = -1;
        const Result actual = run_kernel(batch, kVariants[0]);
        CHECK(std::isnan(actual.loss[0]));
        CHECK(std::isnan(actual.sample_loss[1]));
        CHECK(std::isnan(actual.sample_loss[3]));
        CHECK(std::isfinite(actual.sample_loss[2]));
        check_parity(batch, kVariants[0]);
    }
}

TEST_CASE("kd_loss: constant logits have no standardised gradient") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t classes : {10, 40}) {
        CAPTURE(classes);
        Batch batch = make_batch(2, classes, 61);
        std::fill(batch.student.begin(), batch.student.end(), 100.3f);
        const Result actual = run_kernel(batch, kVariants[3]);
        CHECK(actual.gradient == std::vector<float>(batch.student.size(), 0.0f));
        check_parity(batch, kVariants[3]);
    }
}

TEST_CASE("kd_loss: large logits stay finite and NaN is seen") {
    TOPRESS_REQUIRE_GPU();
    Batch batch = make_batch(4, 10, 71);
    for (float& logit : batch.student) {
        logit *= 1000.0f;
    }
    check_parity(batch, kVariants[0]);
    batch.student[12] = std::numeric_limits<float>::quiet_NaN();
    const Result actual = run_kernel(batch, kVariants[0]);
    CHECK(std::isnan(actual.sample_loss[1]));
    CHECK(std::isfinite(actual.sample_loss[0]));
}

TEST_CASE("kd_loss: neither labels nor teacher are read where their weight is zero") {
    TOPRESS_REQUIRE_GPU();
    const Batch batch = make_batch(4, 10, 81);
    DeviceArray<float> student(batch.student);
    DeviceArray<float> loss(1);
    DeviceArray<float> sample_loss(4);
    DeviceArray<float> gradient(batch.student.size());
    const KdLossOutputs<float> outputs{loss.data(), sample_loss.data(), gradient.data()};
    DeviceArray<std::int64_t> labels(batch.labels);
    CHECK_NOTHROW(distillation::launch_kd_loss(
        {student.data(), nullptr, labels.data(), 4, 10}, kVariants[2], outputs, stream()));
    CHECK(std::isfinite(loss.values()[0]));
    DeviceArray<float> teacher(batch.teacher);
    CHECK_NOTHROW(distillation::launch_kd_loss(
        {student.data(), teacher.data(), nullptr, 4, 10}, kVariants[3], outputs, stream()));
    CHECK(std::isfinite(loss.values()[0]));
}

TEST_CASE("kd_loss: wrong arguments are refused") {
    const Batch batch = make_batch(2, 3, 91);
    std::vector<float> out(6);
    const KdLossOutputs<float> outputs{out.data(), out.data(), out.data()};
    const KdLossInputs<float> inputs{
        batch.student.data(), batch.teacher.data(), batch.labels.data(), 2, 3};
    const auto refuses = [](const KdLossInputs<float>& in,
                            const KdLossParameters& parameters,
                            const KdLossOutputs<float>& to) {
        CHECK_THROWS_AS(distillation::kd_loss_cpu<float>(in, parameters, to),
                        std::invalid_argument);
        CHECK_THROWS_AS(distillation::launch_kd_loss(in, parameters, to, stream()),
                        std::invalid_argument);
    };
    refuses({batch.student.data(), nullptr, batch.labels.data(), 2, 3}, {}, outputs);
    refuses({batch.student.data(), batch.teacher.data(), nullptr, 2, 3}, {}, outputs);
    refuses({nullptr, batch.teacher.data(), batch.labels.data(), 2, 3}, {}, outputs);
    refuses({batch.student.data(), batch.teacher.data(), batch.labels.data(), -1, 3}, {}, outputs);
    refuses({batch.student.data(), batch.teacher.data(), batch.labels.data(), 2, 0}, {}, outputs);
    refuses(inputs, {0.1f, 0.9f, 0.0f, false, 0.0f}, outputs);
    refuses(inputs, {0.1f, 0.9f, 1.0f, false, 1.0f}, outputs);
    refuses(inputs, {}, {nullptr, out.data(), out.data()});
}

}  // namespace topress::parity
