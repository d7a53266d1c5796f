// Distillation loss with its gradient on the CPU: the kernel against what one would write with ATen
// and autograd.
#include "distillation/kernels/kd_loss.hpp"

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace {

using namespace topress;

constexpr float kTemperature = 2;
constexpr float kTeacherWeight = 9;
constexpr float kLabelWeight = 0.1F;

struct Batch {
    at::Tensor student;
    at::Tensor teacher;
    at::Tensor labels;

    explicit Batch(std::int64_t classes)
        : student(at::randn({128, classes}) * 3),
          teacher(at::randn({128, classes}) * 3),
          labels(at::randint(0, classes, {128}, at::kLong)) {}
};

void fused(benchmark::State& state) {
    const Batch batch(state.range(0));
    distillation::KdLossParameters parameters;
    parameters.temperature = kTemperature;
    parameters.distillation_weight = kTeacherWeight;
    parameters.cross_entropy_weight = kLabelWeight;
    parameters.standardise = true;
    for (auto _ : state) {
        at::Tensor loss = at::empty({}, batch.student.options());
        at::Tensor sample_loss = at::empty({128}, batch.student.options());
        at::Tensor gradient = at::empty_like(batch.student);
        distillation::kd_loss_fast_cpu({batch.student.const_data_ptr<float>(),
                                        batch.teacher.const_data_ptr<float>(),
                                        batch.labels.const_data_ptr<std::int64_t>(),
                                        128,
                                        state.range(0)},
                                       parameters,
                                       {loss.mutable_data_ptr<float>(),
                                        sample_loss.mutable_data_ptr<float>(),
                                        gradient.mutable_data_ptr<float>()});
        benchmark::DoNotOptimize(gradient);
    }
}

at::Tensor standardised(const at::Tensor& logits) {
    return (logits - logits.mean(1, true)) / (logits.std(1, true, true) + 1e-7) / kTemperature;
}

void composed(benchmark::State& state) {
    const Batch batch(state.range(0));
    for (auto _ : state) {
        const at::Tensor student = batch.student.detach().set_requires_grad(true);
        const at::Tensor ce = at::cross_entropy_loss(student, batch.labels);
        const at::Tensor kl = at::kl_div(at::log_softmax(standardised(student), 1),
                                         at::log_softmax(standardised(batch.teacher), 1),
                                         at::Reduction::Sum,
                                         true) /
                              128;
        (ce * kLabelWeight + kl * (kTeacherWeight * kTemperature * kTemperature)).backward();
        benchmark::DoNotOptimize(student.grad());
    }
}

}  // namespace

BENCHMARK(fused)->Arg(10)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(composed)->Arg(10)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
