// Tests pruning/importance.cpp: every criterion against its definition, and the group penalty.
#include "pruning/importance.hpp"

#include "unit/host/stage.hpp"

#include <cmath>

using namespace topress;
using pruning::Criterion;
using test::Stage;

namespace {

/// Figures of the one group of the test network: conv weights, gamma, and 16 columns of the linear
/// layer for each channel.
std::vector<double> measure(Stage& stage, Criterion criterion) {
    std::vector<double> figures;
    stage.run([&](Model& model, Context& context) {
        const auto groups = pruning::measure_importance(model, criterion, context);
        REQUIRE(groups.size() == 1);
        figures = groups[0].importance;
    });
    REQUIRE(figures.size() == 4);
    return figures;
}

at::Tensor rows_of(const network::Network& net) {
    return at::
        cat({net.parameter("c.weight").tensor.reshape({4, -1}),
             net.parameter("b.gamma").tensor.reshape({4, 1}),
             net.parameter("l.weight").tensor.reshape({3, 4, 16}).movedim(1, 0).reshape({4, -1})},
            1)
            .to(at::kDouble);
}

void check_equal(const std::vector<double>& figures, const at::Tensor& expected) {
    for (std::size_t c = 0; c < figures.size(); ++c) {
        CAPTURE(c);
        const double wanted = expected[static_cast<std::int64_t>(c)].item<double>();
        CHECK(figures[c] == doctest::Approx(wanted).epsilon(1e-5));
    }
}

}  // namespace

TEST_SUITE("pruning") {
    TEST_CASE("importance: l2, l1 and gamma go over all members of a group") {
        Stage stage;
        at::manual_seed(5);
        stage.model.parameter("b.gamma").tensor.copy_(at::randn({4}));
        const at::Tensor rows = rows_of(stage.model);
        check_equal(measure(stage, Criterion::L2), rows.square().sum(1).sqrt());
        check_equal(measure(stage, Criterion::L1), rows.abs().sum(1));
        check_equal(measure(stage, Criterion::Gamma),
                    stage.model.parameter("b.gamma").tensor.abs().to(at::kDouble));
    }

    TEST_CASE("importance: taylor gives nothing to a channel that changes nothing") {
        Stage stage;
        stage.model.parameter("b.gamma").tensor[2].fill_(0);
        stage.model.parameter("l.weight").tensor.narrow(1, 32, 16).zero_();
        const network::Network before = stage.model.clone();
        const auto figures = measure(stage, Criterion::Taylor);
        CHECK(figures[2] == 0);
        for (const std::size_t other : {0U, 1U, 3U}) {
            CHECK(figures[other] > 0);
        }
        for (const auto& parameter : before.parameters()) {
            CAPTURE(parameter.name);
            CHECK(stage.model.parameter(parameter.name).tensor.equal(parameter.tensor));
        }
    }

    TEST_CASE("importance: chance depends on the stage's seed alone") {
        Stage stage;
        const auto figures = measure(stage, Criterion::Random);
        Stage again;
        again.model.parameter("b.gamma").tensor.mul_(3);
        CHECK(measure(again, Criterion::Random) == figures);
        Stage other;
        other.services.seed = 8;
        CHECK(measure(other, Criterion::Random) != figures);
    }

    TEST_CASE("importance: gamma needs a batch norm") {
        network::Network net;
        net.set_input({"x", {1, 8, 8}});
        net.add_parameter("c.weight", network::Role::Weight, at::ones({4, 1, 3, 3}));
        net.add_parameter("l.weight", network::Role::Weight, at::ones({3, 4}));
        net.add_node({"c", "conv2d", {"x", "c.weight"}, {"c.out"}, {}}, true);
        net.add_node({"p", "global_avg_pool", {"c.out"}, {"p.out"}, {}}, true);
        net.add_node({"f", "flatten", {"p.out"}, {"f.out"}, {}}, true);
        net.add_node({"l", "linear", {"f.out", "l.weight"}, {"l.out"}, {}}, true);
        net.set_output("l.out");
        Stage stage(std::move(net));
        stage.run([](Model& model, Context& context) {
            CHECK(test::status_of([&] {
                      static_cast<void>(
                          pruning::measure_importance(model, Criterion::Gamma, context));
                  }) == TOPRESS_ERROR_UNSUPPORTED);
        });
    }

    TEST_CASE("importance: an unknown criterion is refused") {
        CHECK(pruning::parse_criterion("taylor") == Criterion::Taylor);
        CHECK(test::status_of([] { static_cast<void>(pruning::parse_criterion("l3")); }) ==
              TOPRESS_ERROR_INVALID_ARGUMENT);
    }

    TEST_CASE("penalty: pulls every member of a group, the least important channel hardest") {
        Stage stage;
        constexpr double kStrength = 0.01;
        const at::Tensor scale = at::tensor({1.0, 0.1, 0.5, 2.0}, at::kFloat);
        stage.model.parameter("c.weight")
            .tensor.copy_(at::ones({4, 1, 3, 3}) * scale.view({4, 1, 1, 1}));
        stage.model.parameter("b.gamma").tensor.copy_(scale);
        stage.model.parameter("l.weight")
            .tensor.copy_(at::ones({3, 64}) * scale.repeat_interleave(16));
        int steps = 0;
        stage.run([&](Model& model, Context& context) {
            FitOptions options;
            options.epochs = 0.1;
            options.after_backward = [&](Model& trained, std::uint64_t, std::uint64_t) {
                const at::Tensor weight = trained.parameter("l.weight");
                const at::Tensor before = weight.grad().clone();
                const at::Tensor bias = trained.parameter("l.bias").grad().clone();
                pruning::add_group_penalty(trained, kStrength);
                const at::Tensor pull = (weight.grad() - before) / weight.detach();
                const at::Tensor by_channel =
                    pull.reshape({3, 4, 16}).mean(at::IntArrayRef({0, 2}));
                if (steps++ == 0) {
                    CHECK(by_channel[1].item<float>() == doctest::Approx(16 * kStrength));
                    CHECK(by_channel[3].item<float>() == doctest::Approx(kStrength));
                    // (2 - 0.5) / (2 - 0.1) of the way from 16^0 to 16^1
                    CHECK(by_channel[2].item<float>() ==
                          doctest::Approx(kStrength * std::pow(16.0, 1.5 / 1.9)));
                }
                CHECK(trained.parameter("l.bias").grad().equal(bias));
            };
            context.fit(model, options);
        });
        CHECK(steps > 0);
    }
}
