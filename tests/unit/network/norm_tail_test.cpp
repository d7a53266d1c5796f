// Tests the fused batch norm: against the operators one after the other, in double; what a plan
// joins and what it must not.
#include "network/operators/norm_tail.hpp"

#include "network/execute.hpp"
#include "network/plan.hpp"
#include "unit/network/networks.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <limits>

using namespace topress;
using network::NormTail;
using network::RunMode;
using test::Network;
using test::random_tensor;
using test::Role;

namespace {

using Tensors = std::vector<at::Tensor>;

const network::Node kNode{"bn", "batch_norm", {}, {}, {}};

/// x, gamma, beta, mean, variance, residual; far from 0 and 1.
Tensors make_inputs(std::vector<std::int64_t> shape, at::MemoryFormat format) {
    const std::int64_t channels = shape[1];
    const at::Tensor x = random_tensor(shape, 1) * 1.5 + 3;
    const auto laid_out = [&](const at::Tensor& tensor) {
        return shape.size() == 4 ? tensor.contiguous(format) : tensor.contiguous();
    };
    return {laid_out(x),
            random_tensor({channels}, 2),
            random_tensor({channels}, 3),
            random_tensor({channels}, 4) + 3,
            random_tensor({channels}, 5).abs() + 0.5,
            laid_out(random_tensor(shape, 6))};
}

Tensors in_double(const Tensors& inputs) {
    Tensors wide;
    for (const at::Tensor& input : inputs) {
        wide.push_back(input.detach().to(at::kDouble).clone());
    }
    return wide;
}

/// The output, gradients of x, gamma, beta and the residual, and the running statistics.
Tensors run(Tensors inputs, const NormTail& tail, const RunMode& mode, bool fused) {
    if (!tail.residual) {
        inputs.pop_back();
    }
    for (const std::size_t i : {0U, 1U, 2U, 5U}) {
        if (i < inputs.size()) {
            inputs[i] = inputs[i].detach().clone().set_requires_grad(true);
        }
    }
    inputs[3] = inputs[3].clone();
    inputs[4] = inputs[4].clone();
    at::Tensor y;
    if (fused) {
        y = network::norm_operator(tail).forward(kNode, inputs, mode)[0];
    } else {
        const Tensors own(inputs.begin(), inputs.begin() + 5);
        y = network::operator_named("batch_norm").forward(kNode, own, mode)[0];
        y = tail.residual ? y + inputs[5] : y;
        y = tail.relu ? y.relu() : y;
    }
    // A gradient that differs everywhere and is not laid out as the output.
    at::Tensor weight = at::arange(y.numel(), y.options().requires_grad(false));
    (y * weight.remainder(7).sub(3).reshape(y.sizes())).sum().backward();
    Tensors results{y.detach(),
                    inputs[0].grad(),
                    inputs[1].grad(),
                    inputs[2].grad(),
                    inputs[3].detach(),
                    inputs[4].detach()};
    if (tail.residual) {
        results.push_back(inputs[5].grad());
    }
    return results;
}

void check_close(const at::Tensor& actual, const at::Tensor& expected) {
    REQUIRE(actual.sizes() == expected.sizes());
    const double size = std::max(expected.abs().max().item<double>(), 1.0);
    CHECK((actual.to(at::kDouble) - expected).abs().max().item<double>() < 2e-5 * size);
}

void check_against_composition(const Tensors& inputs, const NormTail& tail, const RunMode& mode) {
    const Tensors fused = run(inputs, tail, mode, true);
    const Tensors composed = run(in_double(inputs), tail, mode, false);
    for (std::size_t i = 0; i < fused.size(); ++i) {
        CAPTURE(i);
        check_close(fused[i], composed[i]);
    }
}

std::vector<RunMode> modes() {
    RunMode training;
    training.training = true;
    training.update_statistics = true;
    training.statistics_momentum = 0.3;
    RunMode still = training;
    still.update_statistics = false;
    return {training, still, RunMode{}};
}

std::vector<NormTail> tails() {
    return {{false, false}, {true, false}, {false, true}, {true, true}};
}

/// Gradients of all parameters by name after a backward pass of the sum of squares.
std::map<std::string, at::Tensor> gradients_of(const Network& net, const at::Tensor& x) {
    for (const auto& parameter : net.parameters()) {
        if (parameter.role != Role::Buffer) {
            parameter.tensor.set_requires_grad(true);
            parameter.tensor.mutable_grad().reset();
        }
    }
    network::forward(net, x, modes()[1]).back().square().sum().backward();
    std::map<std::string, at::Tensor> gradients;
    for (const auto& parameter : net.parameters()) {
        if (parameter.role != Role::Buffer) {
            gradients[parameter.name] = parameter.tensor.grad();
        }
        parameter.tensor.set_requires_grad(false);
    }
    return gradients;
}

/// Nothing is joined where every output of a batch norm and of an add has a second reader.
Network without_fusion(Network net) {
    std::vector<std::string> watched;
    for (const auto& node : net.nodes()) {
        if (node.op == "batch_norm" || node.op == "add") {
            watched.push_back(node.outputs[0]);
        }
    }
    for (std::size_t i = 0; i < watched.size(); ++i) {
        const std::string name = "watch" + std::to_string(i);
        net.add_node({name, "relu", {watched[i]}, {name + ".out"}, {}}, true);
        net.add_node({name + ".pool", "global_avg_pool", {name + ".out"}, {name + ".p"}, {}}, true);
        net.add_node({name + ".flat", "flatten", {name + ".p"}, {name + ".f"}, {}}, true);
        net.add_exit({name, name + ".f", "max-probability", 2.0, 0.0});
    }
    return net;
}

std::size_t steps_named(const Network& net, std::string_view op) {
    std::size_t count = 0;
    for (const auto& step : network::plan_of(net)->steps) {
        count += step.op->name == op ? 1U : 0U;
    }
    return count;
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("norm: equals the operators one after the other, forward and backward") {
        const std::vector<std::vector<std::int64_t>> shapes{{2, 1, 3, 3},
                                                            {3, 3, 5, 7},
                                                            {4, 8, 6, 6},
                                                            {2, 24, 9, 5},
                                                            {1, 64, 4, 4},
                                                            {2, 100, 3, 3},
                                                            {7, 12},
                                                            {40, 8, 28, 28}};
        for (const auto& shape : shapes) {
            for (const NormTail& tail : tails()) {
                for (const RunMode& mode : modes()) {
                    CAPTURE(shape);
                    CAPTURE(tail.relu);
                    CAPTURE(tail.residual);
                    CAPTURE(mode.training);
                    CAPTURE(mode.update_statistics);
                    check_against_composition(
                        make_inputs(shape, at::MemoryFormat::ChannelsLast), tail, mode);
                }
            }
        }
    }

    TEST_CASE("norm: memory it cannot go over takes the operators one after the other") {
        for (const NormTail& tail : tails()) {
            check_against_composition(
                make_inputs({3, 6, 5, 5}, at::MemoryFormat::Contiguous), tail, modes()[0]);
        }
    }

    TEST_CASE("norm: a residual laid out differently is the same residual") {
        Tensors inputs = make_inputs({3, 6, 5, 5}, at::MemoryFormat::ChannelsLast);
        inputs[5] = inputs[5].contiguous();
        check_against_composition(inputs, {true, true}, modes()[0]);
    }

    TEST_CASE("norm: in place and without gradients it gives the same bits") {
        for (const NormTail& tail : tails()) {
            for (const RunMode& mode : modes()) {
                Tensors inputs = make_inputs({4, 8, 6, 6}, at::MemoryFormat::ChannelsLast);
                if (!tail.residual) {
                    inputs.pop_back();
                }
                const at::NoGradGuard no_gradients;
                const auto& op = network::norm_operator(tail);
                Tensors own = inputs;
                own[3] = inputs[3].clone();
                own[4] = inputs[4].clone();
                const at::Tensor apart = op.forward(kNode, own, mode)[0];
                const auto* memory = inputs[0].const_data_ptr();
                const at::Tensor in_place = op.forward_in_place(kNode, inputs, mode)[0];
                CHECK(in_place.equal(apart));
                CHECK(in_place.const_data_ptr() == memory);
            }
        }
    }

    TEST_CASE("norm: what is not a number stays so, behind a relu too") {
        Tensors inputs = make_inputs({2, 4, 3, 3}, at::MemoryFormat::ChannelsLast);
        inputs[0].select(1, 2).fill_(std::numeric_limits<float>::quiet_NaN());
        for (const RunMode& mode : modes()) {
            const at::Tensor y =
                network::norm_operator({true, true}).forward(kNode, inputs, mode)[0];
            CHECK(y.select(1, 2).isnan().all().item<bool>());
            CHECK_FALSE(y.select(1, 1).isnan().any().item<bool>());
        }
    }

    TEST_CASE("norm: threads change rounding only, equal threads change nothing") {
        const Tensors inputs = make_inputs({64, 16, 20, 20}, at::MemoryFormat::ChannelsLast);
        const int before = at::get_num_threads();
        std::vector<Tensors> results;
        for (const int threads : {1, 2, 2}) {
            at::set_num_threads(threads);
            results.push_back(run(inputs, {true, true}, modes()[0], true));
        }
        at::set_num_threads(before);
        for (std::size_t i = 0; i < results[0].size(); ++i) {
            CHECK(results[1][i].equal(results[2][i]));
            check_close(results[0][i], results[1][i].to(at::kDouble));
        }
    }

    // Gradients are written over what nobody else reads; these are read by somebody else.
    TEST_CASE("norm: a gradient that others read stays as it is") {
        for (const NormTail& tail : tails()) {
            CAPTURE(tail.relu);
            CAPTURE(tail.residual);
            Tensors inputs = make_inputs({4, 8, 6, 6}, at::MemoryFormat::ChannelsLast);
            if (!tail.residual) {
                inputs.pop_back();
            }
            const at::Tensor weight =
                random_tensor({4, 8, 6, 6}, 8).contiguous(at::MemoryFormat::ChannelsLast);
            std::vector<at::Tensor> both;
            for (const bool shared : {false, true}) {
                for (at::Tensor& input : inputs) {
                    input = input.detach().clone().set_requires_grad(&input != &inputs[3] &&
                                                                     &input != &inputs[4]);
                }
                const auto& op = network::norm_operator(tail);
                const at::Tensor first = op.forward(kNode, inputs, modes()[1])[0];
                const at::Tensor second = op.forward(kNode, inputs, modes()[1])[0];
                if (shared) {
                    first.retain_grad();  // kept by the tensor, and the same for both readers
                    ((first + second) * weight).sum().backward();
                    CHECK(first.grad().equal(weight));
                } else {
                    (first * weight).sum().backward();
                    (second * weight).sum().backward();
                }
                both.push_back(inputs[0].grad());
            }
            CHECK(at::allclose(both[0], both[1], 1e-5, 1e-5));
        }
    }

    TEST_CASE("norm: a residual network is the same with and without joined steps") {
        const Network net = test::small_resnet();
        const Network apart = without_fusion(net);
        CHECK(steps_named(net, "batch_norm_and_tail") == steps_named(apart, "batch_norm_and_tail"));
        CHECK(steps_named(net, "relu") == 0);
        CHECK(steps_named(net, "add") == 0);
        CHECK(steps_named(apart, "add") > 0);
        const at::Tensor x =
            random_tensor({4, 3, 16, 16}, 9).contiguous(at::MemoryFormat::ChannelsLast);
        CHECK(at::allclose(network::forward(net, x, {}).back(),
                           network::forward(apart, x, {}).back(),
                           1e-4,
                           1e-4));
        const auto joined = gradients_of(net, x);
        const auto single = gradients_of(apart, x);
        for (const auto& [name, gradient] : joined) {
            CAPTURE(name);
            const double size = std::max(single.at(name).abs().max().item<double>(), 1.0);
            CHECK((gradient - single.at(name)).abs().max().item<double>() < 1e-3 * size);
        }
    }

    TEST_CASE("norm: values between joined steps can still be observed") {
        const Network net = test::small_resnet();
        const at::Tensor x = random_tensor({2, 3, 16, 16}, 9);
        std::vector<std::string> values;
        for (const auto& node : net.nodes()) {
            if (node.op == "batch_norm" || node.op == "relu") {
                values.push_back(node.outputs[0]);
            }
        }
        const Tensors together = network::observe(net, x, values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            CAPTURE(values[i]);
            const at::Tensor alone = network::observe(net, x, {values[i]})[0];
            CHECK(at::allclose(together[i], alone, 1e-4, 1e-4));
        }
    }
}
