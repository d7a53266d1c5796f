// Facts about reading a configuration: values, places, several mistakes at once.
#include "config/load.hpp"

#include "loading.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace config = topress::config;
using config::ParameterValue;

TEST_CASE("load: the shipped minimal configuration is read completely") {
    const std::string root = std::getenv("TOPRESS_TEST_SOURCE_DIR");
    const auto result = config::load(root + "/configs/minimal.toml");
    REQUIRE(found_in(result) == Found{});
    const config::RunConfig& run = result.config;
    CHECK(run.model.architecture == "resnet");
    CHECK(run.model.depth == 14);
    CHECK(run.model.width == 16);
    CHECK(run.data.dataset == "fashion-mnist");
    CHECK(run.baseline.epochs == 4.0);
    REQUIRE(run.techniques.size() == 4);
    CHECK(run.techniques[0].label == "student");
    CHECK(run.techniques[0].use == "student");
    CHECK(run.techniques[3].label == "confidence");
    CHECK(run.techniques[3].parameters.at("max_drop_pp").value == ParameterValue(0.2));
    CHECK(run.techniques[2].parameters.at("weight_bits").value == ParameterValue(std::int64_t{4}));
    CHECK(run.file == root + "/configs/minimal.toml");
}

TEST_CASE("load: techniques keep the order of the file and may be used twice") {
    const auto result = load_text(kNeeded +
                                  "[technique.zeta]\n"
                                  "[technique.second]\n"
                                  "use = \"pruning.channel\"\n"
                                  "ratios = [0.5, 1]\n"
                                  "[technique.alpha]\n");
    REQUIRE(found_in(result) == Found{});
    REQUIRE(result.config.techniques.size() == 3);
    CHECK(result.config.techniques[0].label == "zeta");
    const config::TechniqueEntry& second = result.config.techniques[1];
    CHECK(second.label == "second");
    CHECK(second.use == "pruning.channel");
    CHECK(second.location.line == 7);
    CHECK(second.location.column == 12);
    CHECK(second.use_location.line == 8);
    CHECK(second.parameters.size() == 1);
    CHECK(second.parameters.at("ratios").value == ParameterValue(std::vector<double>{0.5, 1.0}));
    CHECK(result.config.techniques[2].label == "alpha");
}

TEST_CASE("load: keys of the host do not reach the technique") {
    const auto result = load_text(kNeeded +
                                  "[technique.qat]\n"
                                  "isolation = \"process\"\n"
                                  "timeout_s = 90\n"
                                  "memory_limit_mb = 256\n"
                                  "bits = 4\n"
                                  "[technique.other]\n");
    REQUIRE(result.ok());
    const auto& qat = result.config.techniques.front();
    CHECK(qat.isolation == config::IsolationConfig{"process", 90, 256});
    CHECK(qat.parameters.size() == 1);
    CHECK(result.config.techniques.back().isolation == config::IsolationConfig{});
}

TEST_CASE("load: mistakes in the keys of the host") {
    CHECK(found_in(load_text(kNeeded + "[technique.qat]\n"
                                       "isolation = \"thread\"\n"
                                       "timeout_s = -1\n"
                                       "memory_limit_mb = 1.5\n")) ==
          Found{"config/invalid-value 7:13", "config/out-of-range 8:13", "config/wrong-type 9:19"});
}

TEST_CASE("load: a limit that the process of topress cannot keep") {
    const std::string inside = kNeeded + "[technique.qat]\nisolation = \"in-process\"\n";
    CHECK(load_text(inside + "timeout_s = 0\n").ok());
    CHECK(found_in(load_text(inside + "timeout_s = 5\n")) == Found{"config/invalid-value 7:13"});
    CHECK(found_in(load_text(inside + "memory_limit_mb = 5\n")) ==
          Found{"config/invalid-value 7:13"});
}

TEST_CASE("load: every mistake is reported in one pass from top to bottom") {
    const auto result = load_text(
        "schema = 1\n"
        "sed = 3\n"
        "[model]\n"
        "architecture = \"resnt\"\n"
        "depth = \"deep\"\n"
        "[data]\n"
        "validation_ratio = 1.5\n"
        "[technique.x]\n"
        "use = 3\n");
    CHECK(found_in(result) == Found{"config/unknown-key 2:1",
                                    "config/invalid-value 4:16",
                                    "config/wrong-type 5:9",
                                    "config/missing-key 6:2",
                                    "config/out-of-range 7:20",
                                    "config/wrong-type 9:7"});
    CHECK_FALSE(result.ok());
}

TEST_CASE("load: messages name value range unit and nearest name") {
    const auto result = load_text(kNeeded +
                                  "crop_padding = 65\n"
                                  "[train]\n"
                                  "optimizer = \"adam\"\n"
                                  "weight_deccay = 0.1\n");
    REQUIRE(result.diagnostics.size() == 3);
    CHECK(result.diagnostics[0].message ==
          "'crop_padding' in [data] is '65', accepted: 0 to 64 pixels");
    CHECK(result.diagnostics[1].message == "'adam' is no value of 'optimizer' in [train]");
    CHECK(result.diagnostics[1].hint == "did you mean 'adamw'? accepted: sgd, adamw");
    CHECK(result.diagnostics[2].message == "unknown key 'weight_deccay' in [train]");
    CHECK(result.diagnostics[2].hint.starts_with("did you mean 'weight_decay'? valid keys: "));
    CHECK(result.diagnostics[2].location.length == 13);
}

TEST_CASE("load: the architectures come from the caller") {
    config::LoadOptions options;
    options.architectures = {"mobilenet"};
    CHECK_FALSE(config::load_text(kNeeded, "x.toml", {}, options).ok());
    CHECK(config::load_text(kNeeded, "x.toml", {"model.architecture=mobilenet"}, options).ok());
}

TEST_CASE("load: the schema is needed and others end the reading") {
    CHECK(found_in(load_text("[model]\narchitecture = \"vgg\"\n[data]\ndataset = \"mnist\"\n")) ==
          Found{"config/missing-key 0:0"});
    CHECK(found_in(load_text("schema = 2\n[nonsense]\n")) ==
          Found{"config/unsupported-schema 1:10"});
    CHECK(found_in(load_text("schema = \"1\"\n" + kNeeded.substr(11))) ==
          Found{"config/wrong-type 1:10"});
}

TEST_CASE("load: broken TOML is one error at its place") {
    CHECK(found_in(load_text("schema = 1\n[model\n")) == Found{"config/syntax 2:7"});
    const auto duplicate = load_text("schema = 1\nseed = 1\nseed = 2\n");
    REQUIRE(duplicate.diagnostics.size() == 1);
    CHECK(duplicate.diagnostics[0].code == "config/syntax");
    CHECK(duplicate.diagnostics[0].location.line == 3);
    CHECK(load_text(std::string("a = \"\xff\"\n")).diagnostics.at(0).code == "config/syntax");
    CHECK(load_text(std::string(100000, '[')).diagnostics.at(0).code == "config/syntax");
}

TEST_CASE("load: a file that cannot be read is a diagnostic") {
    const auto result = config::load("absent/run.toml");
    CHECK(found_in(result) == Found{"config/cannot-read 0:0"});
    CHECK(result.diagnostics[0].location.file == "absent/run.toml");
}

TEST_CASE("load: paths of the file are relative to the file") {
    const auto result = load_text(
        "schema = 1\n"
        "output = \"../out\"\n"
        "[model]\n"
        "checkpoint = \"/abs/net.safetensors\"\n"
        "[data]\n"
        "dataset = \"image-folder\"\n"
        "path = \"images/./train\"\n"
        "[order]\n"
        "rules = [\"order-of-compression\", \"mine.toml\", \"sub/rules\"]\n"
        "[plugins]\n"
        "path = [\"plug\"]\n");
    REQUIRE(found_in(result) == Found{});
    CHECK(result.config.output == "/out");
    CHECK(result.config.model.checkpoint == "/abs/net.safetensors");
    CHECK(result.config.data.path == "/folder/images/train");
    CHECK(result.config.order.rules == std::vector<std::string>{"order-of-compression",
                                                                "/folder/mine.toml",
                                                                "/folder/sub/rules"});
    CHECK(result.config.plugins.path == std::vector<std::string>{"/folder/plug"});
}

TEST_CASE("load: defaults that depend on other keys") {
    const auto cifar = load_text(kNeeded);
    CHECK(cifar.config.data.crop_padding == 4);
    CHECK(cifar.config.data.flip == true);
    CHECK(cifar.config.baseline.epochs == 10);
    const auto digits = load_text(kNeeded, {"data.dataset=mnist", "model.checkpoint=net"});
    CHECK(digits.config.data.crop_padding == 2);
    CHECK(digits.config.data.flip == false);
    CHECK(digits.config.baseline.epochs == 0);
    const auto given = load_text(
        kNeeded,
        {"data.dataset=mnist", "data.flip=true", "data.crop_padding=0", "baseline.epochs=3"});
    CHECK(given.config.data.crop_padding == 0);
    CHECK(given.config.data.flip == true);
    CHECK(given.config.baseline.epochs == 3);
}

TEST_CASE("load: what changes pictures is left open where the files tell the task") {
    const auto folder = load_text(kNeeded, {"data.dataset=image-folder", "data.path=pictures"});
    REQUIRE(found_in(folder) == Found{});
    CHECK_FALSE(folder.config.data.crop_padding.has_value());
    CHECK_FALSE(folder.config.data.flip.has_value());
    CHECK(folder.config.train.loss.empty());
    const auto rotated =
        load_text(kNeeded, {"data.dataset=rotated-fashion-mnist", "train.loss=huber"});
    REQUIRE(found_in(rotated) == Found{});
    CHECK(rotated.config.data.flip == false);
    CHECK(rotated.config.data.crop_padding == 2);
    CHECK(rotated.config.train.loss == "huber");
    CHECK(load_text(kNeeded, {"data.dataset=svhn"}).config.data.flip == false);
}

TEST_CASE("load: mirroring is refused where it changes the answer") {
    const auto given = load_text(
        "schema = 1\n[model]\narchitecture = \"resnet\"\n[data]\n"
        "dataset = \"rotated-fashion-mnist\"\nflip = true\n");
    CHECK(found_in(given) == Found{"config/invalid-value 6:8"});
}

TEST_CASE("load: what one key asks of another") {
    CHECK(found_in(load_text("schema = 1\n[model]\ndepth = 8\n[data]\ndataset = \"mnist\"\n")) ==
          Found{"config/missing-key 2:2"});
    CHECK(found_in(load_text("schema = 1\n[model]\ndepth = 8\n[data]\nflip = 3\n")) ==
          Found{"config/missing-key 2:2", "config/missing-key 4:2", "config/wrong-type 5:8"});
    CHECK(found_in(load_text(kNeeded, {"data.dataset=image-folder"})) ==
          Found{"config/missing-key 0:0"});
}

TEST_CASE("load: edges of the user") {
    const auto result = load_text(kNeeded +
                                  "[order]\n"
                                  "force = [\"a\", \"b\"]\n"
                                  "override = true\n"
                                  "[[order.edge]]\n"
                                  "before = \"a\"\n"
                                  "after = \"b\"\n"
                                  "[[order.edge]]\n"
                                  "before = \"b\"\n"
                                  "after = \"c\"\n"
                                  "strength = \"hard\"\n"
                                  "reason = \"because\"\n");
    REQUIRE(found_in(result) == Found{});
    const config::OrderConfig& order = result.config.order;
    CHECK(order.force == std::vector<std::string>{"a", "b"});
    CHECK(order.override_);
    CHECK_FALSE(order.strict);
    REQUIRE(order.edges.size() == 2);
    CHECK(order.edges[0].strength == "soft");
    CHECK(order.edges[0].location.line == 9);
    CHECK(order.edges[1].before == "b");
    CHECK(order.edges[1].strength == "hard");
    CHECK(order.edges[1].reason == "because");
}

TEST_CASE("load: settings of an exploration") {
    const auto result = load_text(kNeeded +
                                  "[explore]\n"
                                  "finish = \"end\"\n"
                                  "[[explore.setting]]\n"
                                  "name = \"mild\"\n"
                                  "set = [\"a.b=1\"]\n"
                                  "[[explore.setting]]\n"
                                  "name = \"strong\"\n"
                                  "set = []\n");
    REQUIRE(found_in(result) == Found{});
    const config::ExploreConfig& explore = result.config.explore;
    CHECK(explore.finish == "end");
    CHECK(explore.seeds == 3);
    REQUIRE(explore.settings.size() == 2);
    CHECK(explore.settings[0].name == "mild");
    CHECK(explore.settings[0].overrides == std::vector<std::string>{"a.b=1"});
    CHECK(explore.settings[1].overrides.empty());
}

TEST_CASE("load: mistakes in settings of an exploration") {
    CHECK(found_in(load_text(kNeeded + "[[explore.setting]]\n"
                                       "name = \"mild\"\n"
                                       "[[explore.setting]]\n"
                                       "name = \"a/b\"\n"
                                       "set = []\n"
                                       "[[explore.setting]]\n"
                                       "name = \"x\"\n"
                                       "set = []\n"
                                       "[[explore.setting]]\n"
                                       "name = \"x\"\n"
                                       "set = []\n")) ==
          Found{"config/missing-key 6:1", "config/invalid-value 9:8", "config/invalid-value 15:8"});
    CHECK(found_in(load_text(kNeeded + "[explore.setting]\nname = \"x\"\n")) ==
          Found{"config/wrong-type 6:10"});
    CHECK(found_in(load_text(kNeeded + "[explore]\nsetting = 3\nseeds = 0\n")) ==
          Found{"config/wrong-type 7:1", "config/out-of-range 8:9"});
}

TEST_CASE("load: mistakes in edges") {
    const auto result = load_text(kNeeded +
                                  "[[order.edge]]\n"
                                  "before = \"a\"\n"
                                  "strength = \"hrad\"\n");
    CHECK(found_in(result) == Found{"config/missing-key 6:1", "config/invalid-value 8:12"});
}

TEST_CASE("load: numbers that are not finite are refused") {
    CHECK(found_in(load_text(kNeeded + "validation_ratio = nan\n")) ==
          Found{"config/out-of-range 6:20"});
    CHECK(found_in(load_text(kNeeded + "[baseline]\nepochs = inf\n")) ==
          Found{"config/out-of-range 7:10"});
}

TEST_CASE("load: the place of each given key is kept") {
    const auto result = load_text(kNeeded, {"model.depth=8"});
    CHECK(result.config.origins.at("data.dataset").line == 5);
    CHECK(result.config.origins.at("model.depth").file == "--set model.depth=8");
    CHECK_FALSE(result.config.origins.contains("model.width"));
}
