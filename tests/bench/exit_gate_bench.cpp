// Exit gate and compaction on the CPU: the kernel against the ATen composition of the host.
#include "early_exit/kernels/exit_gate.hpp"
#include "network/operators.hpp"

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace {

using namespace topress;

constexpr float kThreshold = 0.6F;

at::Tensor make_logits(std::int64_t batch, std::int64_t classes) {
    at::manual_seed(1);
    return at::randn({batch, classes}) * 2;
}

void fused(benchmark::State& state) {
    const at::Tensor logits = make_logits(state.range(0), state.range(1));
    const std::int64_t batch = state.range(0);
    for (auto _ : state) {
        at::Tensor confidence = at::empty({batch}, logits.options());
        at::Tensor leave = at::empty({batch}, at::kLong);
        at::Tensor stay = at::empty({batch}, at::kLong);
        std::int64_t counts[2];
        early_exit::exit_gate_fast_cpu(
            {logits.const_data_ptr<float>(), batch, state.range(1), kThreshold},
            {confidence.mutable_data_ptr<float>(),
             leave.mutable_data_ptr<std::int64_t>(),
             stay.mutable_data_ptr<std::int64_t>(),
             counts});
        benchmark::DoNotOptimize(leave.narrow(0, 0, counts[0]));
        benchmark::DoNotOptimize(stay.narrow(0, 0, counts[1]));
    }
}

void composed(benchmark::State& state) {
    const at::Tensor logits = make_logits(state.range(0), state.range(1));
    const auto& gate = network::builtin_exit_gate();
    for (auto _ : state) {
        benchmark::DoNotOptimize(gate(logits, "max-probability", kThreshold));
    }
}

}  // namespace

BENCHMARK(fused)->Args({256, 10})->Args({256, 100})->Unit(benchmark::kMicrosecond);
BENCHMARK(composed)->Args({256, 10})->Args({256, 100})->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
