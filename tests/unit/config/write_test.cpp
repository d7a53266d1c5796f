// Facts about the resolved configuration: it loads to the same settings.
#include "loading.hpp"

#include <doctest/doctest.h>

#include <string>

namespace config = topress::config;

namespace {

const std::string kEverything =
    "schema = 1\n"
    "seed = 99\n"
    "threads = 2\n"
    "device = \"cuda\"\n"
    "output = \"out \\\" put\"\n"
    "[model]\n"
    "architecture = \"vgg\"\n"
    "checkpoint = \"net\"\n"
    "[data]\n"
    "dataset = \"image-folder\"\n"
    "path = \"images\"\n"
    "validation_ratio = 0.123456789012345678\n"
    "flip = false\n"
    "seed = 9223372036854775807\n"
    "[train]\n"
    "optimizer = \"adamw\"\n"
    "learning_rate = 3e-4\n"
    "[baseline]\n"
    "epochs = 1\n"
    "learning_rate = 0.01\n"
    "[order]\n"
    "rules = []\n"
    "evidence = [\"measured\", \"mine.toml\"]\n"
    "force = [\"a.b\", \"c\"]\n"
    "[[order.edge]]\n"
    "before = \"c\"\n"
    "after = \"a.b\"\n"
    "strength = \"hard\"\n"
    "reason = \"tab\\tand \\u0001\"\n"
    "[explore]\n"
    "finish = \"c\"\n"
    "seeds = 5\n"
    "[[explore.setting]]\n"
    "name = \"mild\"\n"
    "set = [\"technique.c.x=1\", \"train.schedule=constant\"]\n"
    "[plugins]\n"
    "path = [\"x\", \"y\"]\n"
    "[cache]\n"
    "directory = \"cached\"\n"
    "max_gb = 0.5\n"
    "[technique.\"a.b\"]\n"
    "use = \"some.technique\"\n"
    "isolation = \"process\"\n"
    "timeout_s = 1.5\n"
    "memory_limit_mb = 512\n"
    "intensity = 2.5\n"
    "list = [1, 2.5]\n"
    "words = [\"u\", \"v\"]\n"
    "none = []\n"
    "whole = 3.0\n"
    "[technique.c]\n";

config::LoadResult reload(const config::RunConfig& run) {
    return config::load_text(config::to_toml(run), "/elsewhere/config.toml");
}

}  // namespace

TEST_CASE("write: the resolved configuration loads to the same settings") {
    for (const std::string& text : {kNeeded, kEverything}) {
        CAPTURE(text);
        const auto first = load_text(text);
        REQUIRE(found_in(first) == Found{});
        const auto again = reload(first.config);
        REQUIRE(found_in(again) == Found{});
        CHECK(config::same_settings(first.config, again.config));
        CHECK(config::to_toml(again.config) == config::to_toml(first.config));
    }
}

TEST_CASE("write: every default is written out") {
    const std::string text = config::to_toml(load_text(kNeeded).config);
    CHECK(text.starts_with("schema = 1\nseed = 1\n"));
    for (const std::string line : {"validation_ratio = 0.1\n",
                                   "crop_padding = 4\n",
                                   "epochs = 10.0\n",
                                   "batch_size = 128\n",
                                   "weight_decay = 0.0005\n",
                                   "rules = [\"order-of-compression\"]\n"}) {
        CAPTURE(line);
        CHECK(text.find(line) != std::string::npos);
    }
}

TEST_CASE("write: a checkpoint without an architecture stays that way") {
    const auto first =
        load_text("schema = 1\n[model]\ncheckpoint = \"n\"\n[data]\ndataset = \"mnist\"\n");
    REQUIRE(found_in(first) == Found{});
    const auto again = reload(first.config);
    CHECK(found_in(again) == Found{});
    CHECK(config::same_settings(first.config, again.config));
}

TEST_CASE("write: any changed key makes the settings differ") {
    const auto first = load_text(kEverything);
    for (const std::string change : {"seed=98",
                                     "model.depth=3",
                                     "model.stem=imagenet",
                                     "data.flip=true",
                                     "train.momentum=0.5",
                                     "baseline.learning_rate=0.02",
                                     "order.strict=true",
                                     "plugins.path=[]",
                                     "technique.c.use=d",
                                     "technique.c.p=1",
                                     "technique.e.p=1"}) {
        CAPTURE(change);
        const auto other = load_text(kEverything, {change});
        REQUIRE(found_in(other) == Found{});
        CHECK_FALSE(config::same_settings(first.config, other.config));
    }
}
