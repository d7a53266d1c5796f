// Configuration and catalog become a plan, with all mistakes at once.
#include "pipeline/lower.hpp"

#include "config/load.hpp"
#include "pipeline/rule_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress;

namespace {

plugin::TechniqueMetadata technique(const std::string& id,
                                    const std::string& kind,
                                    const std::string& granularity) {
    plugin::TechniqueMetadata metadata;
    metadata.id = id;
    metadata.kind = kind;
    metadata.granularity = granularity;
    metadata.reads = {"weights"};
    metadata.writes = {"weights"};
    config::ParameterSpec ratio;
    ratio.name = "keep_ratio";
    ratio.default_value = 0.5;
    ratio.minimum = 0.1;
    ratio.maximum = 1.0;
    metadata.parameters = {ratio};
    return metadata;
}

/// Three techniques of one plugin that name nobody.
plugin::Catalog catalog() {
    plugin::CatalogEntry entry;
    entry.path = "/nowhere/plugin.so";
    entry.verdict = plugin::Verdict::Loadable;
    entry.metadata = plugin::PluginMetadata{};
    entry.metadata->id = "org.example.three";
    entry.metadata->techniques = {technique("x.gate", "dynamic", "architecture"),
                                  technique("x.round", "static", "bit"),
                                  technique("x.cut", "static", "channel")};
    plugin::Catalog catalog;
    catalog.entries = {entry};
    return catalog;
}

config::RunConfig read(const std::string& techniques) {
    const std::string head =
        "schema = 1\n[model]\narchitecture = \"resnet\"\n[data]\ndataset = \"mnist\"\n";
    const config::LoadResult loaded = config::load_text(head + techniques, "run.toml");
    REQUIRE(loaded.ok());
    return loaded.config;
}

std::vector<std::string> codes_of(const config::RunConfig& config) {
    std::vector<std::string> codes;
    try {
        static_cast<void>(pipeline::make_plan(config, catalog()));
    } catch (const DiagnosticError& error) {
        for (const Diagnostic& diagnostic : error.diagnostics()) {
            codes.push_back(diagnostic.code);
        }
    }
    return codes;
}

}  // namespace

TEST_CASE("lower: the rule set orders techniques that name nobody") {
    const auto config = read("[technique.gate]\n[technique.round]\n[technique.cut]\n");
    const pipeline::Plan plan = pipeline::make_plan(config, catalog());
    CHECK(plan.order.sequence == std::vector<std::string>{"cut", "round", "gate"});
    REQUIRE(plan.stages.size() == 3);
    CHECK(plan.stages.front().technique.id == "x.cut");
}

TEST_CASE("lower: defaults are filled in and given values kept") {
    const auto config = read("[technique.cut]\nkeep_ratio = 0.25\n[technique.round]\n");
    const pipeline::Plan plan = pipeline::make_plan(config, catalog());
    CHECK(plan.stages[0].parameters.at("keep_ratio").value == config::ParameterValue(0.25));
    CHECK(plan.stages[1].parameters.at("keep_ratio").value == config::ParameterValue(0.5));
    CHECK(pipeline::resolved_config(plan).find("keep_ratio = 0.5") != std::string::npos);
}

TEST_CASE("lower: what a stage touches follows its parameters") {
    plugin::Catalog conditional = catalog();
    auto& techniques = conditional.entries.front().metadata->techniques;
    for (auto& technique : techniques) {
        technique.granularity = "layer";  // no rule orders them
        technique.kind = "static";
        technique.reads.clear();
        technique.writes.clear();
    }
    techniques[1].writes = {"precision"};
    techniques[2].conditional = {
        {{"keep_ratio", {config::ParameterValue(1.0)}, true}, {}, {"precision"}, {}}};
    const auto plan = [&](const std::string& ratio) {
        return pipeline::make_plan(
            read("[technique.cut]\nkeep_ratio = " + ratio + "\n[technique.round]\n"), conditional);
    };
    CHECK(plan("1").order.ambiguities.empty());
    CHECK(plan("0.5").order.ambiguities.size() == 1);
    CHECK(pipeline::to_json(plan("1")).at("stages").at(0).at("writes").empty());
    CHECK(pipeline::to_json(plan("0.5")).at("stages").at(0).at("writes") ==
          pipeline::Json({"precision"}));
}

TEST_CASE("lower: a technique that is not there is answered with the one that replaces it") {
    plugin::Catalog replacing = catalog();
    replacing.entries.front().metadata->techniques[2].replaces = {"y.saw"};
    try {
        static_cast<void>(
            pipeline::make_plan(read("[technique.saw]\nuse = \"y.saw\"\n"), replacing));
        FAIL("was accepted");
    } catch (const DiagnosticError& error) {
        CHECK(error.diagnostics().front().hint == "'x.cut' replaces it: write use = \"x.cut\"");
    }
}

TEST_CASE("lower: a technique may be used twice under two labels") {
    const auto config = read("[technique.cut]\n[technique.again]\nuse = \"cut\"\n");
    CHECK(pipeline::make_plan(config, catalog()).stages.size() == 2);
}

TEST_CASE("lower: mistakes of several techniques and the rules are told together") {
    const auto config = read(
        "[order]\nrules = [\"no-such-rules\"]\n[technique.cutt]\n[technique.round]\nkeep_ratio = "
        "7\n"
        "[technique.gate]\nkeep = 1\n");
    auto codes = codes_of(config);
    std::ranges::sort(codes);
    CHECK(codes == std::vector<std::string>{"config/out-of-range",
                                            "config/unknown-key",
                                            "config/unknown-rules",
                                            "config/unknown-technique"});
}

TEST_CASE("lower: contradicting hard edges of the user are a cycle") {
    const auto config = read(
        "[technique.cut]\n[technique.round]\n"
        "[[order.edge]]\nbefore = \"cut\"\nafter = \"round\"\nstrength = \"hard\"\nreason = \"a\"\n"
        "[[order.edge]]\nbefore = \"round\"\nafter = \"cut\"\nstrength = \"hard\"\nreason = "
        "\"b\"\n");
    CHECK(codes_of(config) == std::vector<std::string>{"order/cycle"});
}

TEST_CASE("lower: a technique that needs CUDA is refused on the CPU") {
    plugin::Catalog with_need = catalog();
    with_need.entries.front().metadata->techniques[2].needs.cuda = plugin::Need::Required;
    try {
        static_cast<void>(pipeline::make_plan(read("[technique.cut]\n"), with_need));
        FAIL("was accepted");
    } catch (const DiagnosticError& error) {
        CHECK(error.diagnostics().front().code == "device/required");
        CHECK(error.status() == ExitStatus::Device);
    }
}

TEST_CASE("lower: the plan as JSON has order and stages and parameters") {
    const auto config = read("[technique.round]\n[technique.cut]\n");
    const pipeline::Json json = pipeline::to_json(pipeline::make_plan(config, catalog()));
    CHECK(json.at("order") == pipeline::Json({"cut", "round"}));
    CHECK(json.at("stages").at(0).at("parameters").at("keep_ratio") == 0.5);
    CHECK(json.at("stages").at(0).at("plugin") == "org.example.three");
    REQUIRE(json.at("edges").size() == 1);
    CHECK(json.at("edges").at(0).at("origin") == "rule set");
    CHECK_FALSE(json.at("edges").at(0).at("reason").get<std::string>().empty());
}

TEST_CASE("lower: the shipped rules are found from anywhere") {
    Diagnostics found;
    const std::vector<std::string> names = {
        "weaker-first", "order-of-compression", "weaker-first", "prune-quantize-distil"};
    const auto sets = pipeline::load_rule_sets({names, "/nowhere/run.toml", {}}, found);
    CHECK(found.empty());
    REQUIRE(sets.size() == 3);
    CHECK(sets[1].name == "order-of-compression");
    CHECK(sets[1].rules.front().where.precedence == 1);
}
