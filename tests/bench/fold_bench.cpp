// Answering on the CPU: a network as it stands against the same network folded.
#include "base/allocation.hpp"
#include "network/execute.hpp"
#include "network/fold.hpp"
#include "zoo/zoo.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

namespace {

using namespace topress;

/// A ResNet of width 16 on 1x28x28 pictures, all weights behind 4-bit quantize nodes if asked for.
network::Network make_network(std::int64_t depth, bool quantized) {
    network::Network net = zoo::build({"resnet", depth, 16, 10, {1, 28, 28}}, 1);
    const std::vector<network::Node> nodes = net.nodes();
    for (const network::Node& node : nodes) {
        if (quantized && node.op == "conv2d") {
            const std::string name = node.name + ".q";
            const std::int64_t rows = net.parameter(node.inputs[1]).tensor.size(0);
            net.add_parameter(name + ".scale", network::Role::Scale, at::full({rows}, 0.05));
            net.add_node(
                {name,
                 "quantize",
                 {node.inputs[1], name + ".scale"},
                 {name + ".out"},
                 {{"bits", std::int64_t{4}}, {"signed", true}, {"axis", std::int64_t{0}}}});
            net.replace_input(node.name, 1, name + ".out");
        }
    }
    return net;
}

void run(benchmark::State& state, const network::Network& net) {
    const at::NoGradGuard no_gradients;
    keep_freed_memory();  // as the program does
    // Laid out as batches are; contiguous() would leave the strides of one channel as they are.
    const at::Tensor images =
        at::empty({state.range(1), 1, 28, 28},
                  at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast))
            .normal_();
    for (auto _ : state) {
        benchmark::DoNotOptimize(network::forward(net, images, {}));
    }
}

void as_it_stands(benchmark::State& state) {
    run(state, make_network(14, state.range(0) != 0));
}

void folded(benchmark::State& state) {
    run(state, network::fold_for_evaluation(make_network(14, state.range(0) != 0)));
}

}  // namespace

// Quantized weights or not; pictures in a batch.
BENCHMARK(as_it_stands)
    ->Args({0, 256})
    ->Args({0, 1})
    ->Args({1, 256})
    ->Args({1, 1})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(folded)->Args({0, 256})->Args({0, 1})->Args({1, 256})->Args({1, 1})->Unit(
    benchmark::kMicrosecond);
BENCHMARK_MAIN();
