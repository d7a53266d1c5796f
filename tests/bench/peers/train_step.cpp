// Times the program's own training step on random pictures, for compare.py: one JSON line.
#include "base/allocation.hpp"
#include "bench/peers/options.hpp"
#include "train/device.hpp"
#include "train/trainer.hpp"
#include "zoo/zoo.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

using namespace topress;

namespace {

struct Work {
    std::int64_t depth = 8;
    std::int64_t width = 8;
    std::int64_t channels = 1;
    std::int64_t side = 28;
    std::int64_t batch = 128;
    std::int64_t steps = 20;
    std::int64_t threads = 1;
    std::int64_t cuda = 0;      ///< 1: on the first device
    std::int64_t bfloat16 = 0;  ///< 1: forward and backward in bfloat16
    std::int64_t graph = 0;     ///< 1: as CUDA graphs, otherwise every operation is a launch
};

train::TrainingData random_data(const Work& work) {
    train::TrainingData data;
    const std::int64_t count = work.batch * work.steps;
    data.train.images =
        at::randint(0, 256, {count, work.channels, work.side, work.side}, at::kByte);
    data.train.labels = at::randint(0, 10, {count}, at::kLong);
    const auto channels = static_cast<std::size_t>(work.channels);
    data.normalisation.mean = std::vector<double>(channels, 0.5);
    data.normalisation.deviation = std::vector<double>(channels, 0.29);
    data.classes = std::vector<std::string>(10, "class");
    return data;
}

int run(const Work& work) {
    at::set_num_threads(static_cast<int>(work.threads));
    const train::TrainingData data = random_data(work);
    train::TrainingDefaults defaults;
    defaults.batch_size = work.batch;
    defaults.learning_rate = 0.01;
    defaults.reduced = work.bfloat16 != 0;
    defaults.cuda_graph = work.graph != 0;
    train::Trainer trainer(data, defaults, train::open_device(work.cuda != 0 ? "cuda" : "cpu"));
    zoo::Specification specification;
    specification.depth = work.depth;
    specification.width = work.width;
    specification.input_shape = {work.channels, work.side, work.side};
    network::Network network = zoo::build(specification, 1);
    train::FitOptions options;
    options.epochs = work.cuda != 0 ? 1 : 3.0 / static_cast<double>(work.steps);
    static_cast<void>(trainer.fit(network, options));  // warm
    options.epochs = 1;
    const std::clock_t begin = std::clock();
    const train::FitReport report = trainer.fit(network, options);
    const double cpu_seconds =
        static_cast<double>(std::clock() - begin) / static_cast<double>(CLOCKS_PER_SEC);
    const auto steps = static_cast<double>(report.steps);
    std::printf("{\"ms_per_step\": %.4f, \"cpu_ms_per_step\": %.4f, \"loss\": %.4f}\n",
                report.seconds * 1e3 / steps,
                cpu_seconds * 1e3 / steps,
                report.final_loss);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    keep_freed_memory();  // as the program does
    Work work;
    const std::map<std::string, std::int64_t*> known{{"--depth", &work.depth},
                                                     {"--width", &work.width},
                                                     {"--channels", &work.channels},
                                                     {"--side", &work.side},
                                                     {"--batch", &work.batch},
                                                     {"--steps", &work.steps},
                                                     {"--threads", &work.threads},
                                                     {"--cuda", &work.cuda},
                                                     {"--bfloat16", &work.bfloat16},
                                                     {"--graph", &work.graph}};
    return bench::read_options(argc, argv, known) ? run(work) : 2;
}
