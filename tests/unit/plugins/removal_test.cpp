// Tests pruning/removal.cpp: what is removed is what trying every selection on a copy would remove.
#include "pruning/removal.hpp"

#include "pruning/importance.hpp"
#include "unit/host/stage.hpp"

#include <functional>

using namespace topress;
using pruning::Guards;
using pruning::Kept;
using pruning::Measure;
using test::Stage;

namespace {

network::Network family(const char* name, std::int64_t depth, std::int64_t width) {
    zoo::Specification specification;
    specification.family = name;
    specification.depth = depth;
    specification.width = width;
    specification.input_shape = {1, 28, 28};
    specification.classes = 3;
    return zoo::build(specification, 3);
}

/// A head on the last picture of a ResNet, which the main output does not need.
void add_head(Model& model) {
    const std::string value = "stage2.block0.relu2.out";
    const std::int64_t channels = model.value_shape(value).front();
    model.add_parameter("early.weight", "weight", at::ones({3, channels}));
    model.add_node("early.pool", "global_avg_pool", {value}, {"early.pool.out"});
    model.add_node("early.flatten", "flatten", {"early.pool.out"}, {"early.flatten.out"});
    model.add_node(
        "early.linear", "linear", {"early.flatten.out", "early.weight"}, {"early.logits"});
    model.attach_exit({"early", "early.logits"});
}

void quantize_weight(Model& model, const std::string& node) {
    const std::string weight = node + ".weight";
    model.add_parameter(
        node + ".scale", "scale", at::ones({model.parameter(weight).size(0)}).mul_(0.1));
    model.add_node(node + ".q",
                   "quantize",
                   {weight, node + ".scale"},
                   {node + ".q.out"},
                   {{"axis", std::int64_t{0}}});
    model.replace_input(node, 1, node + ".q.out");
}

Kept by_trying(Model& model,
               const std::vector<pruning::GroupImportance>& groups,
               const Guards& guards,
               double target) {
    return pruning::select_to_target(groups,
                                     guards,
                                     target,
                                     [&](const Kept& kept) {
                                         OwnedModel trial = model.clone();
                                         for (std::size_t g = 0; g < groups.size(); ++g) {
                                             trial.keep_channels(groups[g].name, kept[g]);
                                         }
                                         return trial.cost().macs;
                                     })
        .kept;
}

void check(network::Network network, const std::function<void(Model&)>& change = {}) {
    Stage stage(std::move(network));
    stage.run([&](Model& model, Context& context) {
        if (change) {
            change(model);
        }
        auto groups = pruning::measure_importance(model, pruning::Criterion::L2, context);
        pruning::normalise(groups, pruning::Normalisation::Maximum);
        const Guards guards{2, 2, 0.1};
        const double target = model.cost().macs * 0.4;
        const Kept expected = by_trying(model, groups, guards, target);
        const auto selection =
            pruning::remove_least_important(model, groups, guards, target, Measure::Macs);
        CHECK(selection.reached);
        CHECK(selection.kept == expected);
        CHECK(model.cost().macs <= target);
        CHECK(model.cost().macs == doctest::Approx(selection.size).epsilon(1e-9));
    });
}

}  // namespace

TEST_SUITE("pruning") {
    TEST_CASE("removal: what is computed is what would be tried") {
        SUBCASE("resnet") {
            check(family("resnet", 14, 8));
        }
        SUBCASE("vgg") {
            check(family("vgg", 11, 8));
        }
        SUBCASE("mobilenetv2") {
            check(family("mobilenetv2", 53, 8));
        }
        SUBCASE("a head beside the main path and a quantized weight") {
            check(family("resnet", 14, 8), [](Model& model) {
                add_head(model);
                quantize_weight(model, "stage1.block1.conv2");
            });
        }
    }

    TEST_CASE("removal: a network stays as it is where the guards stop before the target") {
        Stage stage(family("resnet", 14, 8));
        stage.run([](Model& model, Context& context) {
            auto groups = pruning::measure_importance(model, pruning::Criterion::L2, context);
            const double before = model.cost().macs;
            const auto selection = pruning::remove_least_important(
                model, groups, {8, 8, 0.9}, before * 0.05, Measure::Macs);
            CHECK_FALSE(selection.reached);
            CHECK(selection.size > before * 0.05);
            CHECK(model.cost().macs == before);
        });
    }

    TEST_CASE("removal: channels can be what counts") {
        Stage stage(family("resnet", 14, 8));
        stage.run([](Model& model, Context& context) {
            auto groups = pruning::measure_importance(model, pruning::Criterion::L2, context);
            pruning::normalise(groups, pruning::Normalisation::Maximum);
            const double before = pruning::size_of(model, Measure::Channels);
            const auto selection = pruning::remove_least_important(
                model, groups, {1, 1, 0.0}, before / 2, Measure::Channels);
            CHECK(selection.reached);
            CHECK(pruning::size_of(model, Measure::Channels) == selection.size);
            CHECK(selection.size <= before / 2);
            CHECK(selection.size > before / 2 - 2);  // ties go together
        });
    }
}
