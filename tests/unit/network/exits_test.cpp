// Early exit: compaction gives what running everything and choosing afterwards gives.
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "unit/network/networks.hpp"

#include <ATen/core/grad_mode.h>

#include <atomic>

using namespace topress;
using test::code_of;
using test::Network;
using test::random_tensor;

namespace {

constexpr double kNever = 1.5;

/// All heads for all samples, then the choice.
network::EarlyExitResult choose_afterwards(const Network& net, const at::Tensor& x) {
    const at::NoGradGuard no_gradients;
    const auto outputs = network::forward(net, x, {});
    network::EarlyExitResult result{
        outputs.back().clone(),
        at::full({x.size(0)}, static_cast<std::int64_t>(net.exits().size()), at::kLong)};
    for (std::size_t i = net.exits().size(); i-- > 0;) {
        const auto& exit = net.exits()[i];
        const at::Tensor before = i > 0 ? outputs[i - 1] : at::Tensor();
        const auto leaves =
            network::exit_criterion(outputs[i], exit.criterion, before) >= exit.threshold;
        result.logits = at::where(leaves.unsqueeze(1), outputs[i], result.logits);
        result.exit_index =
            at::where(leaves,
                      at::full_like(result.exit_index, static_cast<std::int64_t>(i)),
                      result.exit_index);
    }
    return result;
}

std::int64_t count_of(const at::Tensor& exit_index, std::int64_t exit) {
    return exit_index.eq(exit).sum().item<std::int64_t>();
}

/// Median of a head's criterion on x: half of the samples leave there.
double median_of(const Network& net, const at::Tensor& x, std::size_t exit) {
    const at::NoGradGuard no_gradients;
    const auto logits = network::forward(net, x, {})[exit];
    return network::exit_criterion(logits, "max-probability").median().item<double>();
}

/// Counts the calls of the gate and the samples each saw; restores the built-in at the end.
struct GateSpy {
    std::vector<std::int64_t> batches;

    GateSpy() {
        network::set_exit_gate(
            [this](const at::Tensor& logits, std::string_view criterion, double threshold) {
                batches.push_back(logits.size(0));
                return network::builtin_exit_gate()(logits, criterion, threshold);
            });
    }

    ~GateSpy() { network::set_exit_gate({}); }
};

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("exits: compaction equals choosing afterwards") {
        const auto x = random_tensor({33, 3, 16, 16}, 5);
        const Network base = test::resnet_with_exits(kNever, kNever);
        const double first = median_of(base, x, 0);
        const double second = median_of(base, x, 1);
        const std::vector<std::pair<double, double>> thresholds{
            {first, second}, {kNever, second}, {first, kNever}, {0.0, 0.0}, {kNever, kNever}};
        for (const auto& [a, b] : thresholds) {
            CAPTURE(a);
            CAPTURE(b);
            Network net = base;
            net.set_exit("exit1", a, 0);
            net.set_exit("exit2", b, 0);
            const auto actual = network::forward_with_exits(net, x);
            const auto expected = choose_afterwards(net, x);
            CHECK(actual.exit_index.equal(expected.exit_index));
            CHECK(test::largest_difference(actual.logits, expected.logits) < 1e-4);
        }
    }

    TEST_CASE("exits: every criterion is 1 for a sure answer and least for a doubtful one") {
        const at::Tensor logits = at::tensor({100.0F,
                                              0.0F,
                                              0.0F,
                                              0.0F,  // sure
                                              1.0F,
                                              1.0F,
                                              1.0F,
                                              1.0F,  // knows nothing
                                              2.0F,
                                              2.0F,
                                              -90.0F,
                                              -90.0F})  // one of two
                                      .view({3, 4});
        const auto value = [&](std::string_view criterion, std::int64_t row) {
            return network::exit_criterion(logits, criterion, logits)[row].item<double>();
        };
        for (const std::string& criterion : network::exit_criteria()) {
            CAPTURE(criterion);
            CHECK(value(criterion, 0) == doctest::Approx(1));
        }
        CHECK(value("max-probability", 1) == doctest::Approx(0.25));
        CHECK(value("margin", 1) == doctest::Approx(0));
        CHECK(value("entropy", 1) == doctest::Approx(0).epsilon(1e-6));
        CHECK(value("max-probability", 2) == doctest::Approx(0.5));
        CHECK(value("margin", 2) == doctest::Approx(0));
        CHECK(value("entropy", 2) == doctest::Approx(0.5));
        CHECK(value("agreement", 1) == doctest::Approx(0.25));
        CHECK(network::exit_criteria().size() == 5);
        // One class alone is sure whatever its logit.
        for (const std::string& criterion : network::exit_criteria()) {
            const at::Tensor one = at::zeros({1, 1});
            CHECK(network::exit_criterion(one, criterion, one).item<double>() == 1);
        }
    }

    TEST_CASE("exits: a criterion decides whose samples leave") {
        const auto x = random_tensor({33, 3, 16, 16}, 5);
        for (const char* criterion : {"max-probability", "margin", "entropy"}) {
            CAPTURE(criterion);
            Network net = test::resnet_with_exits(kNever, kNever);
            auto exits = net.exits();
            const at::NoGradGuard no_gradients;
            const auto logits = network::forward(net, x, {})[0];
            const at::Tensor values = network::exit_criterion(logits, criterion);
            net.clear_exits();
            exits[0].criterion = criterion;
            exits[0].threshold = values.median().item<double>();
            net.add_exit(exits[0]);
            const auto actual = network::forward_with_exits(net, x);
            CHECK(actual.exit_index.equal(choose_afterwards(net, x).exit_index));
            CHECK(count_of(actual.exit_index, 0) == 17);
        }
    }

    TEST_CASE("exits: agreement is the lesser probability of the class that both name") {
        const auto logits = [](std::initializer_list<float> odds) {
            return at::tensor(std::vector<float>(odds), at::kFloat).log().view({-1, 2});
        };
        const at::Tensor before = logits({8, 2, 6, 4, 3, 7});
        const at::Tensor now = logits({7, 3, 9, 1, 8, 2});
        CHECK(at::allclose(network::exit_criterion(now, "agreement", before),
                           at::tensor({0.7F, 0.6F, 0.0F})));
    }

    TEST_CASE("exits: closeness falls with the largest difference of the numbers") {
        const at::Tensor before = at::tensor({0.F, 0.F, 1.F, 2.F, -1.F, 5.F}).view({3, 2});
        const at::Tensor now = at::tensor({0.F, 0.F, 1.5F, 1.F, 2.F, 5.F}).view({3, 2});
        CHECK(at::allclose(network::exit_criterion(now, "closeness", before),
                           at::tensor({1.0F, 0.5F, 0.25F})));
    }

    TEST_CASE("exits: what compares with the exit before lets nobody leave at the first") {
        const auto x = random_tensor({33, 3, 16, 16}, 5);
        for (const char* criterion : {"agreement", "closeness"}) {
            CAPTURE(criterion);
            CHECK(network::exit_criterion(at::ones({2, 3}), criterion).equal(at::full({2}, -1.0F)));
            Network net = test::resnet_with_exits(kNever, kNever);
            auto exits = net.exits();
            const at::NoGradGuard no_gradients;
            const auto outputs = network::forward(net, x, {});
            net.clear_exits();
            exits[0].criterion = criterion;
            exits[0].threshold = 0;
            exits[1].criterion = criterion;
            exits[1].threshold =
                network::exit_criterion(outputs[1], criterion, outputs[0]).median().item<double>();
            net.add_exit(exits[0]);
            net.add_exit(exits[1]);
            const auto actual = network::forward_with_exits(net, x);
            CHECK(actual.exit_index.equal(choose_afterwards(net, x).exit_index));
            CHECK(count_of(actual.exit_index, 0) == 0);
            CHECK(count_of(actual.exit_index, 1) >= 17);
        }
    }

    TEST_CASE("exits: samples that stayed are compared with their own earlier answers") {
        const auto x = random_tensor({33, 3, 16, 16}, 5);
        Network net = test::resnet_with_exits(kNever, kNever);
        auto exits = net.exits();
        const double first = median_of(net, x, 0);
        const at::NoGradGuard no_gradients;
        const auto outputs = network::forward(net, x, {});
        net.clear_exits();
        exits[0].threshold = first;  // half of the samples leave by their probability
        exits[1].criterion = "closeness";
        exits[1].threshold =
            network::exit_criterion(outputs[1], "closeness", outputs[0]).median().item<double>();
        net.add_exit(exits[0]);
        net.add_exit(exits[1]);
        const GateSpy spy;
        const auto actual = network::forward_with_exits(net, x);
        const auto expected = choose_afterwards(net, x);
        CHECK(actual.exit_index.equal(expected.exit_index));
        CHECK(test::largest_difference(actual.logits, expected.logits) < 1e-4);
        CHECK(count_of(actual.exit_index, 0) == 17);
        CHECK(count_of(actual.exit_index, 1) > 0);
        CHECK(count_of(actual.exit_index, 2) > 0);
        // A gate of a plugin sees one exit alone: it is not asked to compare.
        CHECK(spy.batches == std::vector<std::int64_t>{33});
    }

    TEST_CASE("exits: some leave at every exit in the compared case") {
        const auto x = random_tensor({33, 3, 16, 16}, 5);
        const Network base = test::resnet_with_exits(kNever, kNever);
        Network net = base;
        net.set_exit("exit1", median_of(base, x, 0), 0);
        net.set_exit("exit2", median_of(base, x, 1), 0);
        const auto result = network::forward_with_exits(net, x);
        for (std::int64_t exit = 0; exit < 3; ++exit) {
            CHECK(count_of(result.exit_index, exit) > 0);
        }
    }

    TEST_CASE("exits: the batch shrinks and later heads are not run when all left") {
        const auto x = random_tensor({16, 3, 16, 16}, 5);
        const Network base = test::resnet_with_exits(kNever, kNever);
        GateSpy spy;
        SUBCASE("all leave at the first exit") {
            Network net = base;
            net.set_exit("exit1", 0.0, 0);
            const auto result = network::forward_with_exits(net, x);
            CHECK(spy.batches == std::vector<std::int64_t>{16});
            CHECK(count_of(result.exit_index, 0) == 16);
        }
        SUBCASE("half leave at the first exit") {
            Network net = base;
            net.set_exit("exit1", median_of(base, x, 0), 0);
            const auto result = network::forward_with_exits(net, x);
            REQUIRE(spy.batches.size() == 2);
            CHECK(spy.batches[1] == 16 - count_of(result.exit_index, 0));
        }
        SUBCASE("nobody leaves") {
            const auto result = network::forward_with_exits(base, x);
            CHECK(spy.batches == std::vector<std::int64_t>{16, 16});
            CHECK(result.logits.equal(network::forward(base, x, {}).back()));
        }
    }

    TEST_CASE("exits: quantized weights are not compacted with the batch") {
        const auto x = random_tensor({9, 3, 16, 16}, 5);
        Network net = test::resnet_with_exits(kNever, kNever);
        for (const char* node : {"stage3.block0.conv1", "head.linear", "exit1.linear"}) {
            test::quantize_input(net, node, 1, 8, true, 0.02);
        }
        net.set_exit("exit1", median_of(net, x, 0), 0);
        const auto actual = network::forward_with_exits(net, x);
        CHECK(test::largest_difference(actual.logits, choose_afterwards(net, x).logits) < 1e-4);
    }

    TEST_CASE("exits: a quantized weight shared across an exit keeps all of its rows") {
        Network net;
        net.set_input({"x", {4}});
        net.add_parameter("w", test::Role::Weight, random_tensor({4, 4}, 1));
        net.add_parameter("s", test::Role::Scale, at::full({1}, 0.1));
        net.add_node({"q", "quantize", {"w", "s"}, {"q.out"}, {}}, true);
        net.add_node({"a", "linear", {"x", "q.out"}, {"a.out"}, {}}, true);
        net.add_node({"b", "linear", {"a.out", "q.out"}, {"b.out"}, {}}, true);
        net.set_output("b.out");
        net.add_exit({"early", "a.out", "max-probability", kNever});
        const auto x = random_tensor({4, 4}, 2);
        net.set_exit("early", median_of(net, x, 0), 0);
        const auto actual = network::forward_with_exits(net, x);
        CHECK(count_of(actual.exit_index, 1) > 0);
        CHECK(test::largest_difference(actual.logits, choose_afterwards(net, x).logits) < 1e-5);
    }

    TEST_CASE("exits: channels-last survives compaction") {
        const auto x = random_tensor({9, 3, 16, 16}, 5).contiguous(at::MemoryFormat::ChannelsLast);
        Network net = test::resnet_with_exits(kNever, kNever);
        net.set_exit("exit1", median_of(net, x, 0), 0);
        const auto actual = network::forward_with_exits(net, x);
        CHECK(test::largest_difference(actual.logits, choose_afterwards(net, x).logits) < 1e-4);
    }

    TEST_CASE("exits: an empty batch and a network without exits") {
        const Network with = test::resnet_with_exits(0.1, 0.1);
        const auto nothing = network::forward_with_exits(with, at::ones({0, 3, 16, 16}));
        CHECK(nothing.logits.sizes() == at::IntArrayRef({0, 10}));
        CHECK(nothing.exit_index.numel() == 0);
        const Network without = test::small_resnet();
        const auto x = random_tensor({2, 3, 16, 16}, 1);
        const auto result = network::forward_with_exits(without, x);
        CHECK(result.logits.equal(network::forward(without, x, {})[0]));
        CHECK(count_of(result.exit_index, 0) == 2);
    }

    TEST_CASE("exits: a head that shares its logits with the output") {
        Network net = test::small_resnet();
        net.add_exit({"end", net.output(), "max-probability", 0.0});
        const auto x = random_tensor({3, 3, 16, 16}, 1);
        const auto result = network::forward_with_exits(net, x);
        CHECK(count_of(result.exit_index, 0) == 3);
        CHECK(network::forward(net, x, {}).size() == 2);
    }

    TEST_CASE("exits: a sample that is not a number stays") {
        auto logits = random_tensor({4, 5}, 1);
        logits[2].fill_(std::numeric_limits<double>::quiet_NaN());
        const auto [leave, stay] = network::builtin_exit_gate()(logits, "max-probability", 0.0);
        CHECK(leave.equal(at::tensor({0, 1, 3}, at::kLong)));
        CHECK(stay.equal(at::tensor({2}, at::kLong)));
    }

    TEST_CASE("exits: the criterion is the largest softmax probability") {
        const auto logits = random_tensor({4, 5}, 1);
        const auto expected = std::get<0>(at::softmax(logits, 1).max(1));
        CHECK(network::exit_criterion(logits, "max-probability").equal(expected));
        CHECK(code_of([&] { static_cast<void>(network::exit_criterion(logits, "chance")); }) ==
              "network/unknown-criterion");
    }
}
