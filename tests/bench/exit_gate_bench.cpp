// Exit gate and compaction on the CPU: the kernel against the ATen composition of the host.
#include "early_exit/kernels/exit_gate.hpp"
#include "network/operators.hpp"

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace {

using namespace topress;

constexpr float kThreshold = 0.6F;

// The class of every second sample stands far above the others and it leaves, or nobody does.
at::Tensor make_logits(const benchmark::State& state) {
    at::manual_seed(1);
    const bool half_leave = state.range(2) != 0;
    at::Tensor logits = at::randn({state.range(0), state.range(1)}) * 2;
    logits.slice(0, 0, state.range(0), 2).select(1, 0).add_(half_leave ? 12 : 0);
    return logits;
}

void fused(benchmark::State& state) {
    const at::Tensor logits = make_logits(state);
    const std::int64_t batch = state.range(0);
    for (auto _ : state) {
        at::Tensor leave = at::empty({batch}, at::kLong);
        at::Tensor stay = at::empty({batch}, at::kLong);
        std::int64_t counts[2];
        early_exit::exit_gate_fast_cpu(
            {logits.const_data_ptr<float>(), batch, state.range(1), kThreshold},
            {nullptr,
             leave.mutable_data_ptr<std::int64_t>(),
             stay.mutable_data_ptr<std::int64_t>(),
             counts});
        benchmark::DoNotOptimize(leave.narrow(0, 0, counts[0]));
        benchmark::DoNotOptimize(stay.narrow(0, 0, counts[1]));
    }
}

void composed(benchmark::State& state) {
    const at::Tensor logits = make_logits(state);
    const auto& gate = network::builtin_exit_gate();
    for (auto _ : state) {
        benchmark::DoNotOptimize(gate(logits, "max-probability", kThreshold));
    }
}

// Samples, classes, whether half of the samples leave.
void sizes(benchmark::internal::Benchmark* bench) {
    for (const std::int64_t classes : {10, 100}) {
        for (const std::int64_t half_leave : {1, 0}) {
            bench->Args({256, classes, half_leave});
        }
    }
    bench->Unit(benchmark::kMicrosecond);
}

}  // namespace

BENCHMARK(fused)->Apply(sizes);
BENCHMARK(composed)->Apply(sizes);
BENCHMARK_MAIN();
