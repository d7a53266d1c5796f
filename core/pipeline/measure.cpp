// Measurements of a network.
#include "pipeline/measure.hpp"

#include "base/profile.hpp"
#include "data/batches.hpp"
#include "network/execute.hpp"
#include "network/fold.hpp"
#include "network/operators.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <sys/resource.h>
#include <vector>

namespace topress::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_of(const network::Network& network, const at::Tensor& images) {
    const auto start = Clock::now();
    const network::EarlyExitResult result = network::forward_with_exits(network, images);
    static_cast<void>(result.logits.cpu());  // waits for the device
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

at::Tensor latency_batch(const train::Trainer& trainer) {
    const train::TrainingData& data = trainer.data();
    data::BatchReader reader(data.validation, data.normalisation, kLatencyBatch);
    return reader.next().value().images.to(trainer.device());
}

/// Takes the implementations of plugins out of use while it lives.
class BuiltinOperators {
  public:
    BuiltinOperators()
        : quantize_(network::quantize_implementation()), gate_(network::exit_gate()) {
        network::set_quantize_implementation(network::builtin_quantize());
        network::set_exit_gate(network::builtin_exit_gate());
    }

    ~BuiltinOperators() {
        network::set_quantize_implementation(quantize_);
        network::set_exit_gate(gate_);
    }

    BuiltinOperators(const BuiltinOperators&) = delete;
    BuiltinOperators& operator=(const BuiltinOperators&) = delete;

  private:
    network::QuantizeImplementation quantize_;
    network::ExitGate gate_;
};

}  // namespace

train::Evaluation evaluate_plainly(train::Trainer& trainer,
                                   const network::Network& network,
                                   const data::Samples& samples) {
    const BuiltinOperators builtin;
    return trainer.evaluate(network, samples);
}

void record_shares(network::Network& network, const train::Evaluation& evaluation) {
    const std::vector<network::Exit> exits = network.exits();
    for (std::size_t index = 0; index < exits.size(); ++index) {
        network.set_exit(exits[index].name, exits[index].threshold, evaluation.share.at(index));
    }
}

std::vector<ExitFigures> exit_figures(const network::Network& network,
                                      const train::Evaluation& evaluation) {
    std::vector<ExitFigures> figures;
    if (network.exits().empty()) {
        return figures;
    }
    for (const network::Exit& exit : network.exits()) {
        figures.push_back({exit.name, exit.threshold, 0, 0, std::nullopt});
    }
    figures.push_back({kMainOutput, std::numeric_limits<double>::quiet_NaN(), 0, 0, std::nullopt});
    for (std::size_t index = 0; index < figures.size(); ++index) {
        figures[index].share = evaluation.share.at(index);
        figures[index].accuracy = evaluation.accuracy_per_exit.at(index);
        if (evaluation.error) {
            figures[index].error = evaluation.error_per_exit.at(index);
        }
    }
    return figures;
}

std::vector<std::pair<std::string, double>> name_errors(const std::vector<std::string>& targets,
                                                        const train::Evaluation& evaluation) {
    std::vector<std::pair<std::string, double>> named;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        named.emplace_back(targets[i], evaluation.error_per_target.at(i));
    }
    return named;
}

Latency measure_latency(const network::Network& network,
                        const network::Network& baseline,
                        const train::Trainer& trainer) {
    const profile::Span span("latency");
    constexpr double kBudgetMs = 600;
    constexpr std::size_t kLeast = 3;
    constexpr std::size_t kMost = 31;
    const at::Tensor images = latency_batch(trainer);
    // As they would be deployed: what is known before the first picture is not computed again.
    const network::Network folded_baseline = network::fold_for_evaluation(baseline);
    const network::Network folded = network::fold_for_evaluation(network);
    milliseconds_of(folded_baseline, images);  // warm-up
    milliseconds_of(folded, images);
    std::vector<double> of_baseline;
    std::vector<double> of_network;
    double spent = 0;
    while (of_network.size() < kLeast || (spent < kBudgetMs && of_network.size() < kMost)) {
        of_baseline.push_back(milliseconds_of(folded_baseline, images));
        of_network.push_back(milliseconds_of(folded, images));
        spent += of_baseline.back() + of_network.back();
    }
    const double ms = median(of_network);
    return {ms, ms / median(of_baseline)};
}

double peak_memory_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

}  // namespace topress::pipeline
