// Facts about --set KEY=VALUE.
#include "loading.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace config = topress::config;
using config::ParameterValue;

TEST_CASE("override: wins over the file and over the default") {
    const auto result = load_text(
        kNeeded + "[train]\nbatch_size = 32\n",
        {"train.batch_size=64", "train.batch_size = 96", "train.schedule=one-cycle", "seed=7"});
    REQUIRE(found_in(result) == Found{});
    CHECK(result.config.train.batch_size == 96);
    CHECK(result.config.train.schedule == "one-cycle");
    CHECK(result.config.seed == 7);
}

TEST_CASE("override: values are TOML and bare words are strings") {
    const auto result = load_text(kNeeded,
                                  {"technique.x.list=[1, 2]",
                                   "technique.x.word=word",
                                   "technique.x.quoted=\"4\"",
                                   "technique.x.number=4",
                                   "technique.x.version=1.2.3",
                                   "technique.x.equation=a=b",
                                   "technique.x.empty=",
                                   "technique.x.flag=true"});
    REQUIRE(found_in(result) == Found{});
    REQUIRE(result.config.techniques.size() == 1);
    const config::Parameters& given = result.config.techniques[0].parameters;
    CHECK(given.at("list").value == ParameterValue(std::vector<std::int64_t>{1, 2}));
    CHECK(given.at("word").value == ParameterValue(std::string("word")));
    CHECK(given.at("quoted").value == ParameterValue(std::string("4")));
    CHECK(given.at("number").value == ParameterValue(std::int64_t{4}));
    CHECK(given.at("version").value == ParameterValue(std::string("1.2.3")));
    CHECK(given.at("equation").value == ParameterValue(std::string("a=b")));
    CHECK(given.at("empty").value == ParameterValue(std::string()));
    CHECK(given.at("flag").value == ParameterValue(true));
}

TEST_CASE("override: paths are relative to the current folder") {
    const auto result = load_text(kNeeded, {"output=runs/a"});
    CHECK(result.config.output == (std::filesystem::current_path() / "runs/a").string());
}

TEST_CASE("override: a technique is added after those of the file") {
    const auto result = load_text(kNeeded + "[technique.b]\n", {"technique.a.use=x.y"});
    REQUIRE(result.config.techniques.size() == 2);
    CHECK(result.config.techniques[1].label == "a");
    CHECK(result.config.techniques[1].use == "x.y");
}

TEST_CASE("override: mistakes are reported with the assignment as the place") {
    for (const std::string wrong : {"word",
                                    "=3",
                                    "a..b=3",
                                    "train={batch_size=3}",
                                    "model=3",
                                    "model.depth.x=3",
                                    "seed=[1",
                                    "seed=\"1",
                                    "a=1\nb=2"}) {
        CAPTURE(wrong);
        const auto result = load_text(kNeeded + "[train]\n[model.inner]\n", {wrong});
        REQUIRE_FALSE(result.diagnostics.empty());
        const topress::Diagnostic& last = result.diagnostics.back();
        CHECK(last.location.file == "--set " + wrong);
        const bool is_later = wrong == "model.depth.x=3";  // well formed, but no such table
        CHECK(last.code == (is_later ? "config/wrong-type" : "config/bad-override"));
    }
}

TEST_CASE("override: an unknown key and a wrong value are reported like those of the file") {
    const auto result = load_text(kNeeded, {"train.batch_sie=3", "baseline.epochs=many"});
    REQUIRE(result.diagnostics.size() == 2);
    CHECK(result.diagnostics[0].code == "config/unknown-key");
    CHECK(result.diagnostics[0].location.file == "--set train.batch_sie=3");
    CHECK(result.diagnostics[1].code == "config/wrong-type");
}
