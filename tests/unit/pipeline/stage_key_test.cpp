// Keys: what must change one does, what must not does not.
#include "pipeline/stage_key.hpp"

#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <vector>

using namespace topress;
using namespace topress::pipeline;

namespace {

data::Samples samples(std::int64_t count, int value) {
    return {at::full({count, 1, 4, 4}, value, at::kByte), at::arange(count)};
}

/// Everything that a key is made of.
struct Made {
    HostIdentity host{"program", "2.11.0", "cpu", 2};
    config::RunConfig config;
    train::TrainingData data{
        samples(6, 1), samples(3, 2), samples(2, 3), {{0.5}, {0.25}}, {}, {"a", "b"}};
    PlannedStage stage;
    network::Network input = test::small_network();
    network::Network original = test::small_network();
    std::string plugin = "library";
    OperatorOrigins operators;
    std::vector<std::string> worker_libraries;

    Made() {
        stage.label = "cut";
        stage.technique.id = "x.cut";
        stage.technique.writes = {"weights"};
        stage.parameters["ratio"].value = 0.5;
    }

    [[nodiscard]] std::string run() const { return run_identity(host, config, data); }

    [[nodiscard]] std::string key() const {
        return stage_key(run(), {stage, input, original, plugin, operators, worker_libraries});
    }

    [[nodiscard]] std::string baseline() const { return baseline_key(run(), config); }
};

struct Change {
    const char* what;
    std::function<void(Made&)> make;
};

void train_a_little(network::Network& network) {
    const std::string name = test::first_conv(network).inputs.at(1);
    network.parameter(name).tensor.flatten()[0].add_(1e-6);
}

}  // namespace

TEST_CASE("stage key: everything that a result depends on changes it") {
    const std::vector<Change> changes = {
        {"the program", [](Made& made) { made.host.program = "other"; }},
        {"LibTorch", [](Made& made) { made.host.torch_version = "2.12.0"; }},
        {"the device", [](Made& made) { made.host.device = "cuda:0"; }},
        {"the threads", [](Made& made) { made.host.threads = 1; }},
        {"the seed", [](Made& made) { made.config.seed = 2; }},
        {"the learning rate", [](Made& made) { made.config.train.learning_rate = 0.2; }},
        {"mirroring", [](Made& made) { made.config.data.flip = false; }},
        {"a picture", [](Made& made) { made.data.train.images[0][0][0][0] = 9; }},
        {"a label", [](Made& made) { made.data.train.labels[0] = 1; }},
        {"the validation split", [](Made& made) { made.data.validation = samples(2, 2); }},
        {"the normalisation", [](Made& made) { made.data.normalisation.mean = {0.25}; }},
        {"the name of a class", [](Made& made) { made.data.classes[1] = "c"; }},
        {"the label", [](Made& made) { made.stage.label = "cut_again"; }},
        {"the technique", [](Made& made) { made.stage.technique.id = "x.other"; }},
        {"a parameter", [](Made& made) { made.stage.parameters["ratio"].value = 0.25; }},
        {"another parameter", [](Made& made) { made.stage.parameters["steps"].value = 0.5; }},
        {"the plugin", [](Made& made) { made.plugin = "rebuilt"; }},
        {"a weight", [](Made& made) { train_a_little(made.input); }},
        {"the baseline", [](Made& made) { train_a_little(made.original); }},
    };
    const std::string key = Made().key();
    CHECK(Made().key() == key);
    for (const Change& change : changes) {
        CAPTURE(change.what);
        Made made;
        change.make(made);
        CHECK(made.key() != key);
    }
}

TEST_CASE("stage key: of a file its content counts and not its path") {
    const test::TemporaryFolder folder;
    const auto key = [&](const char* name, const char* content) {
        Made made;
        const std::string path = (folder.path() / name).string();
        std::ofstream(path) << content;
        config::ParameterSpec spec;
        spec.name = "network";
        spec.type = config::ParameterType::String;
        spec.is_file = true;
        made.stage.technique.parameters = {spec};
        made.stage.parameters["network"].value = path;
        return made.key();
    };
    CHECK(key("a", "one") == key("b", "one"));
    CHECK(key("a", "one") != key("a", "two"));
}

TEST_CASE("stage key: what changes no result does not change it") {
    const std::vector<Change> changes = {
        {"the output folder", [](Made& made) { made.config.output = "/elsewhere"; }},
        {"the data's folder", [](Made& made) { made.config.data.path = "/elsewhere"; }},
        {"the test split", [](Made& made) { made.data.test = samples(1, 7); }},
        {"its size", [](Made& made) { made.config.data.test_samples = 1; }},
        {"the plugin folders", [](Made& made) { made.config.plugins.path = {"/elsewhere"}; }},
        {"the cache", [](Made& made) { made.config.cache = {"/elsewhere", 1}; }},
        {"the file's name", [](Made& made) { made.config.file = "other.toml"; }},
        {"the threads as asked for", [](Made& made) { made.config.threads = 2; }},
        {"the order", [](Made& made) { made.config.order.force = {"cut"}; }},
        {"other techniques",
         [](Made& made) {
             made.config.techniques.emplace_back();
             made.config.techniques.back().label = "later";
         }},
        {"how the baseline came about",
         [](Made& made) {
             made.config.baseline.epochs = 1;
             made.config.model.depth = 8;
         }},
        {"where it runs", [](Made& made) { made.stage.isolation.is_process = true; }},
        {"who serves operators it cannot meet",
         [](Made& made) { made.operators = {"fused", "gate"}; }},
    };
    const std::string key = Made().key();
    for (const Change& change : changes) {
        CAPTURE(change.what);
        Made made;
        change.make(made);
        CHECK(made.key() == key);
    }
}

TEST_CASE("stage key: who serves an operator counts where the stage can meet it") {
    const auto with = [](const std::function<void(Made&)>& change, const OperatorOrigins& origins) {
        Made made;
        change(made);
        made.operators = origins;
        return made.key();
    };
    const auto quantizes = [](Made& made) {
        test::quantize_input(made.input, test::first_conv(made.input).name, 0, 8);
    };
    const auto brings = [](Made& made) {
        made.stage.technique.writes = {"precision"};
        made.stage.technique.granularity = "bit";
    };
    const auto writes = [](Made& made) { made.stage.technique.writes = {"precision", "exits"}; };
    const auto writes_in_worker = [&](Made& made) {
        writes(made);
        made.worker_libraries = {"library"};
    };
    const auto after_another = [&](Made& made) {
        writes(made);
        made.worker_libraries = {"fused", "library"};
    };
    const auto leaves = [](Made& made) { test::attach_exit(made.input, "exit", 0.5); };
    CHECK(with(quantizes, {"fused", ""}) != with(quantizes, {}));
    CHECK(with(quantizes, {"", "gate"}) == with(quantizes, {}));
    CHECK(with(brings, {"fused", ""}) != with(brings, {}));
    CHECK(with(writes, {"fused", "gate"}) == with(writes, {}));
    CHECK(with(writes_in_worker, {}) != with(after_another, {}));
    CHECK(with(leaves, {"", "gate"}) != with(leaves, {}));
    CHECK(with(leaves, {"fused", ""}) == with(leaves, {}));
}

TEST_CASE("stage key: the baseline's is what it is built from, or the checkpoint's content") {
    const std::string key = Made().baseline();
    Made deeper;
    deeper.config.model.depth = 20;
    CHECK(deeper.baseline() != key);
    Made longer;
    longer.config.baseline.epochs = 3;
    CHECK(longer.baseline() != key);
    const test::TemporaryFolder folder;
    const auto of_checkpoint = [&](const char* name, const char* content) {
        Made made;
        made.config.model.checkpoint = (folder.path() / name).string();
        std::ofstream(made.config.model.checkpoint) << content;
        return made.baseline();
    };
    CHECK(of_checkpoint("a", "one") == of_checkpoint("b", "one"));
    CHECK(of_checkpoint("a", "one") != of_checkpoint("a", "two"));
    CHECK(of_checkpoint("a", "one") != key);
}
