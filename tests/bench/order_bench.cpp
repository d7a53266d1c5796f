// Deriving an order of 1,000 techniques from 10,000 declared edges: the goal is 0.2 s.
#include "order/order.hpp"

#include <benchmark/benchmark.h>

#include <random>

namespace {

using namespace topress::order;

constexpr int kTechniques = 1000;
constexpr int kEdges = 10000;

std::string name_of(int i) {
    return "bench.technique" + std::to_string(i);
}

/// Edges run forward but for one in `against`, which are soft and must be skipped.
Request make_request(int against) {
    std::mt19937 random(1);
    const auto draw = [&random](int below) {
        return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    Request request;
    for (int i = 0; i < kTechniques; ++i) {
        TechniqueInfo info;
        info.id = name_of(i);
        info.kind = "static";
        info.granularity = "weight";
        info.reads = {"weights"};
        info.writes = {"weights"};
        request.known.push_back(info);
        Instance instance;
        instance.label = info.id;
        instance.technique = info.id;
        request.selected.push_back(instance);
    }
    for (int i = 0; i < kEdges; ++i) {
        const int first = draw(kTechniques - 1);
        const int second = first + 1 + draw(kTechniques - first - 1);
        const bool turned = against > 0 && i % against == 0;
        DeclaredEdge edge;
        edge.before = name_of(turned ? second : first);
        edge.after = name_of(turned ? first : second);
        edge.strength = turned || i % 2 == 0 ? Strength::Soft : Strength::Hard;
        edge.reason = "benchmark";
        edge.where.origin = Origin::UserConfig;
        edge.where.line = i + 1;
        request.user_edges.push_back(edge);
    }
    return request;
}

void derive(benchmark::State& state) {
    const Request request = make_request(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(derive_order(request));
    }
}

}  // namespace

// Without contradictions; with one edge in ten turned around.
BENCHMARK(derive)->Arg(0)->Arg(10)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK_MAIN();
