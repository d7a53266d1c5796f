// What a plan expects its stages to cost, and the trouble it foresees.
#include "pipeline/estimate.hpp"

#include "config/load.hpp"
#include "network/cost.hpp"
#include "pipeline/baseline.hpp"
#include "pipeline/foresee.hpp"
#include "pipeline/lower.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace topress;
using pipeline::EstimateState;

namespace {

using Values = std::map<std::string, plugin::EffectValue>;

plugin::TechniqueMetadata technique(const std::string& id,
                                    const std::string& kind,
                                    const std::string& granularity,
                                    const std::optional<Values>& effect) {
    plugin::TechniqueMetadata metadata;
    metadata.id = id;
    metadata.kind = kind;
    metadata.granularity = granularity;
    metadata.reads = {"topology", "weights"};
    metadata.writes = {"weights", "batch-stats"};
    config::ParameterSpec value;
    value.name = "value";
    value.default_value = 0.5;
    metadata.parameters = {value};
    if (effect) {
        metadata.effect = plugin::Effect{*effect};
    }
    return metadata;
}

plugin::EffectValue fixed_number(double number) {
    return {"", number};
}

plugin::Catalog catalog() {
    plugin::CatalogEntry entry;
    entry.path = "/nowhere/plugin.so";
    entry.verdict = plugin::Verdict::Loadable;
    entry.metadata = plugin::PluginMetadata{};
    entry.metadata->id = "org.example.many";
    const plugin::EffectValue value{"value", 0};
    entry.metadata->techniques = {
        technique("x.swap",
                  "static",
                  "architecture",
                  Values{{"architecture_depth", fixed_number(8)}, {"epochs", fixed_number(2)}}),
        technique("x.cut",
                  "static",
                  "channel",
                  Values{{"macs_ratio", value}, {"channel_multiple", fixed_number(4)}}),
        technique("x.round",
                  "static",
                  "bit",
                  Values{{"weight_bits", fixed_number(8)},
                         {"activation_bits", value},
                         {"first_last_bits", fixed_number(16)},
                         {"epochs", fixed_number(0.5)}}),
        technique("x.silent", "static", "weight", std::nullopt),
        technique("x.gate", "dynamic", "architecture", Values{{"epochs", fixed_number(1)}}),
        technique("x.tune", "static", "weight", Values{})};
    entry.metadata->techniques[0].writes.emplace_back("topology");
    entry.metadata->techniques[5].provides = {"quantization-aware-training"};
    plugin::Catalog catalog;
    catalog.entries = {entry};
    return catalog;
}

pipeline::Plan plan_of(const std::string& techniques, const std::string& dataset = "mnist") {
    const std::string head =
        "schema = 1\n[model]\narchitecture = \"resnet\"\ndepth = 14\n[data]\n"
        "dataset = \"" +
        dataset + "\"\n[baseline]\nepochs = 3\n";
    const config::LoadResult loaded = config::load_text(head + techniques, "run.toml");
    REQUIRE(loaded.ok());
    return pipeline::make_plan(loaded.config, catalog());
}

pipeline::Estimate estimate_of(const pipeline::Plan& plan) {
    const auto start = pipeline::starting_network(plan.config);
    REQUIRE(start);
    return pipeline::estimate(plan, &*start);
}

double macs_of_depth(std::int64_t depth) {
    return network::cost_of(zoo::outline({"resnet", depth, 0, 10, {1, 28, 28}})).macs;
}

Diagnostics with_code(const Diagnostics& found, const std::string& code) {
    Diagnostics result;
    std::ranges::copy_if(found, std::back_inserter(result), [&](const Diagnostic& each) {
        return each.code == code;
    });
    return result;
}

}  // namespace

TEST_CASE("estimate: depth, share and bits are counted on the network of the family") {
    const auto result = estimate_of(
        plan_of("[technique.swap]\n[technique.cut]\nvalue = 0.25\n[technique.round]\nvalue = 8\n"));
    REQUIRE(result.stages.size() == 4);
    const auto& rows = result.stages;
    CHECK(rows[0].label == "baseline");
    CHECK(*rows[0].macs == macs_of_depth(14));
    CHECK(*rows[0].bitops == macs_of_depth(14) * 32 * 32);
    CHECK(*rows[0].bitops_cr == 1);
    CHECK(rows[1].label == "swap");
    CHECK(*rows[1].macs == macs_of_depth(8));
    CHECK(*rows[2].macs == doctest::Approx(macs_of_depth(8) / 4));
    CHECK(*rows[2].bitops == doctest::Approx(macs_of_depth(8) / 4 * 32 * 32));
    CHECK(*rows[3].macs == doctest::Approx(macs_of_depth(8) / 4));
    // 8 bits everywhere but the first and the last layer, which keep 16.
    CHECK(*rows[3].bitops > *rows[3].macs * 8 * 8);
    CHECK(*rows[3].bitops < *rows[3].macs * 9 * 9);
    CHECK(*rows[3].bitops_cr == doctest::Approx(*rows[0].bitops / *rows[3].bitops));
}

TEST_CASE("estimate: epochs are added up, and samples that training sees") {
    const auto result = estimate_of(plan_of("[technique.swap]\n[technique.cut]\n"));
    CHECK(result.epochs == 5);  // baseline 3, swap 2, cut none
    CHECK(result.knows_all_epochs);
    CHECK(result.train_samples == 54000);  // a tenth is kept for validation
    CHECK(*result.sample_passes() == 5 * 54000);
    const auto lower = estimate_of(plan_of("[technique.silent]\n"));
    CHECK_FALSE(lower.knows_all_epochs);
    CHECK(lower.epochs == 3);
}

TEST_CASE("estimate: what nobody declares is unknown, and the rest goes on from what is known") {
    const auto rows =
        estimate_of(plan_of("[technique.cut]\n[technique.silent]\n[technique.round]\nvalue = 8\n"
                            "[technique.gate]\n"))
            .stages;
    REQUIRE(rows.size() == 5);
    CHECK(rows[2].label == "silent");
    CHECK(rows[2].state == EstimateState::Unknown);
    CHECK_FALSE(rows[2].macs);
    CHECK_FALSE(rows[2].epochs);
    CHECK(*rows[3].macs == *rows[1].macs);
    CHECK(rows[4].state == EstimateState::MeasuredOnly);
    CHECK_FALSE(rows[4].bitops);
    CHECK(*rows[4].epochs == 1);
}

TEST_CASE("estimate: a share of zero is decided during the run") {
    const auto rows = estimate_of(plan_of("[technique.cut]\nvalue = 0\n")).stages;
    CHECK(rows[1].state == EstimateState::Unknown);
    CHECK_FALSE(rows[1].macs);
}

TEST_CASE("estimate: without the shape of the pictures only epochs are known") {
    const pipeline::Plan plan = plan_of("[technique.swap]\n");
    const auto result = pipeline::estimate(plan, nullptr);
    CHECK_FALSE(result.stages[0].macs);
    CHECK_FALSE(result.stages[1].macs);
    CHECK(result.epochs == 5);
    const pipeline::Json json = pipeline::to_json(result);
    CHECK(json.at("stages").at(1).at("state") == "unknown");
    CHECK(json.at("stages").at(1).at("macs").is_null());
}

TEST_CASE("plan: an order against a relation says what is lost") {
    const std::string force = "[order]\noverride = true\nforce = ";
    const std::string techniques = "[technique.swap]\n[technique.cut]\n[technique.gate]\n";
    const auto forced = plan_of(force + "[\"gate\", \"cut\", \"swap\"]\n" + techniques);
    const Diagnostics found = with_code(forced.diagnostics, "plan/undoes");
    REQUIRE(found.size() == 3);
    for (const Diagnostic& each : found) {
        CHECK(each.severity == Severity::Warning);
    }
    CHECK(found[2].message ==
          "'swap' replaces the network that 'cut' worked on: its weights are lost, unless the "
          "technique carries them over itself");
    CHECK(found[2].location.line == 12);
    CHECK(found[0].message.find("'cut' changes weights") == 0);
    CHECK(with_code(plan_of(techniques).diagnostics, "plan/undoes").empty());
}

TEST_CASE("plan: training through quantizers undoes no bits") {
    const std::string force = "[order]\noverride = true\nforce = ";
    const auto undone = [&](const std::string& order, const std::string& techniques) {
        return with_code(plan_of(force + order + techniques).diagnostics, "plan/undoes").size();
    };
    CHECK(undone("[\"round\", \"tune\"]\n", "[technique.round]\n[technique.tune]\n") == 0);
    CHECK(undone("[\"round\", \"silent\"]\n", "[technique.round]\n[technique.silent]\n") == 1);
    CHECK(undone("[\"gate\", \"tune\"]\n", "[technique.gate]\n[technique.tune]\n") == 1);
}

TEST_CASE("plan: channels in multiples of four disturb eight bits, and are information for four") {
    const auto codes = [](const std::string& bits) {
        return with_code(
            plan_of("[technique.cut]\n[technique.round]\nvalue = " + bits + "\n").diagnostics,
            "plan/channel-multiple");
    };
    REQUIRE(codes("8").size() == 1);
    CHECK(codes("8")[0].severity == Severity::Warning);
    CHECK(codes("8")[0].message.find("multiples of 4") != std::string::npos);
    REQUIRE(codes("4").size() == 1);
    CHECK(codes("4")[0].severity == Severity::Info);
    CHECK(codes("16").empty());
}

TEST_CASE("plan: the document says what the order is without each technique") {
    const auto json = pipeline::to_json(plan_of("[technique.swap]\n[technique.cut]\n"));
    REQUIRE(json.at("without").size() == 2);
    CHECK(json.at("without").at(0).at("without") == "swap");
    CHECK(json.at("without").at(0).at("order") == pipeline::Json({"cut"}));
    CHECK(json.at("without").at(0).at("refused") == false);
}
