// Importance of all channel groups of a ResNet on the CPU: one call of the kernel against one ATen
// reduction for every weight.
#include "pruning/kernels/group_l2.hpp"

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <vector>

namespace {

using namespace topress;

/// Weights (Cout, Cin, 3, 3) of a CIFAR ResNet of depth 6n+2, three stages.
std::vector<at::Tensor> make_weights(std::int64_t blocks, std::int64_t width) {
    std::vector<at::Tensor> weights;
    std::int64_t channels = width;
    for (std::int64_t stage = 0; stage < 3; ++stage) {
        const std::int64_t out = width << stage;
        for (std::int64_t block = 0; block < 2 * blocks; ++block) {
            weights.push_back(at::randn({out, channels, 3, 3}));
            channels = out;
        }
    }
    return weights;
}

void fused(benchmark::State& state) {
    const auto weights = make_weights(state.range(0), state.range(1));
    for (auto _ : state) {
        std::vector<pruning::GroupSegment> segments;
        std::int64_t size = 0;
        for (const at::Tensor& weight : weights) {  // as output of one group, and input of another
            pruning::GroupSegment out;
            out.data = weight.const_data_ptr<float>();
            out.outer = 1;
            out.channels = weight.size(0);
            out.inner = weight.numel() / weight.size(0);
            out.out_offset = size;
            size += out.channels;
            pruning::GroupSegment in = out;
            in.outer = weight.size(0);
            in.channels = weight.size(1);
            in.inner = 9;
            in.out_offset = size;
            size += in.channels;
            segments.push_back(out);
            segments.push_back(in);
        }
        at::Tensor importance = at::empty({size}, at::kFloat);
        pruning::group_l2_cpu(segments.data(),
                              static_cast<std::int64_t>(segments.size()),
                              importance.mutable_data_ptr<float>(),
                              size);
        benchmark::DoNotOptimize(importance);
    }
}

void composed(benchmark::State& state) {
    const auto weights = make_weights(state.range(0), state.range(1));
    for (auto _ : state) {
        std::vector<at::Tensor> importance;
        for (const at::Tensor& weight : weights) {
            const at::Tensor squares = weight.square();
            importance.push_back(squares.sum({1, 2, 3}));
            importance.push_back(squares.sum({0, 2, 3}));
        }
        benchmark::DoNotOptimize(at::cat(importance));
    }
}

}  // namespace

// ResNet-14 of width 16, ResNet-56 of width 16.
BENCHMARK(fused)->Args({2, 16})->Args({9, 16})->Unit(benchmark::kMicrosecond);
BENCHMARK(composed)->Args({2, 16})->Args({9, 16})->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
