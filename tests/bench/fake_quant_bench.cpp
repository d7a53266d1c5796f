// LSQ fake quantization, forward and backward on the CPU: the fused kernel against the ATen
// composition.
#include "network/operators.hpp"
#include "quantization/kernels/fake_quant.hpp"

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

namespace {

using namespace topress;

// An activation of the demo's network: batch 128, 16 channels, 28 x 28.
constexpr std::int64_t kElements = std::int64_t{128} * 16 * 28 * 28;
constexpr std::int64_t kLow = 0;
constexpr std::int64_t kHigh = 15;

void fused(benchmark::State& state) {
    const at::Tensor x = at::rand({kElements});
    const at::Tensor grad = at::rand({kElements});
    const float scale = 0.06F;
    float grad_scale = 0;
    const quantization::FakeQuantShape shape{1, 1, kElements};
    for (auto _ : state) {
        at::Tensor y = at::empty_like(x);
        at::Tensor grad_x = at::empty_like(x);
        quantization::fake_quant_forward_cpu(
            x.const_data_ptr<float>(), &scale, shape, {kLow, kHigh}, y.mutable_data_ptr<float>());
        quantization::fake_quant_backward_cpu(grad.const_data_ptr<float>(),
                                              x.const_data_ptr<float>(),
                                              &scale,
                                              shape,
                                              {kLow, kHigh},
                                              1.0F,
                                              grad_x.mutable_data_ptr<float>(),
                                              &grad_scale);
        benchmark::DoNotOptimize(grad_scale);
    }
    state.SetItemsProcessed(state.iterations() * kElements);
}

void composed(benchmark::State& state) {
    const at::Tensor x = at::rand({kElements});
    const at::Tensor grad = at::rand({kElements});
    const at::Tensor scale = at::full({1}, 0.06);
    const auto& builtin = network::builtin_quantize();
    for (auto _ : state) {
        benchmark::DoNotOptimize(builtin.forward(x, scale, kLow, kHigh, -1));
        benchmark::DoNotOptimize(builtin.backward(grad, x, scale, kLow, kHigh, -1, 1.0));
    }
    state.SetItemsProcessed(state.iterations() * kElements);
}

}  // namespace

BENCHMARK(fused)->Unit(benchmark::kMillisecond);
BENCHMARK(composed)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
