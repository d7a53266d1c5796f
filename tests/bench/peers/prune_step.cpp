// Times one pruning step of the plugin, analysis and removal without training, for
// compare_prune.py: one JSON line.
#include "bench/peers/options.hpp"
#include "plugin/host_stage.hpp"
#include "plugin/host_tables.hpp"
#include "plugin/library.hpp"
#include "pruning/importance.hpp"
#include "pruning/removal.hpp"
#include "zoo/zoo.hpp"

#include <topress/plugin.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <ctime>
#include <map>
#include <string>

using namespace topress;

namespace {

struct Work {
    std::int64_t depth = 14;
    std::int64_t width = 16;
    std::int64_t channels = 1;
    std::int64_t side = 28;
};

struct Measured {
    double seconds = 0;
    double macs_ratio = 0;
};

Measured g_measured;

/// Half of the MACs in one step: coupled groups, their importance, the selection that reaches the
/// target, removal.
class PruneOnce : public Technique {
  public:
    void apply(Model& model, Context& context) override {
        const double before = model.cost().macs;
        const std::clock_t begin = std::clock();
        auto groups = pruning::measure_importance(model, pruning::Criterion::L2, context);
        pruning::normalise(groups, pruning::Normalisation::Maximum);
        static_cast<void>(pruning::remove_least_important(
            model, groups, {8, 8, 0.1}, before / 2, pruning::Measure::Macs));
        g_measured.seconds =
            static_cast<double>(std::clock() - begin) / static_cast<double>(CLOCKS_PER_SEC);
        g_measured.macs_ratio = model.cost().macs / before;
    }
};

constexpr topress::detail::TechniqueFactory kFactories[] = {
    {"bench.prune", &topress::detail::make_technique<PruneOnce>}};

void prune(const Work& work) {
    zoo::Specification specification;
    specification.depth = work.depth;
    specification.width = work.width;
    specification.input_shape = {work.channels, work.side, work.side};
    network::Network network = zoo::build(specification, 1);
    network::Network original = network.clone();
    const train::TrainingData no_data;
    train::Trainer trainer(no_data, {}, at::Device(at::kCPU));
    plugin::StageServices services;
    services.trainer = &trainer;
    services.label = "bench";
    plugin::TechniqueObject technique(topress::detail::TechniqueTable<kFactories>::kTable,
                                      "bench.prune");
    plugin::run_stage(technique, network, original, services);
}

}  // namespace

int main(int argument_count, char** arguments) {
    Work work;
    const std::map<std::string, std::int64_t*> options{{"--depth", &work.depth},
                                                       {"--width", &work.width},
                                                       {"--channels", &work.channels},
                                                       {"--side", &work.side}};
    if (!bench::read_options(argument_count, arguments, options)) {
        return 2;
    }
    at::set_num_threads(1);
    topress::detail::g_host = &plugin::host_interface();
    prune(work);  // warm
    prune(work);
    std::printf("{\"cpu_ms\": %.4f, \"macs_ratio\": %.4f}\n",
                g_measured.seconds * 1e3,
                g_measured.macs_ratio);
    return 0;
}
