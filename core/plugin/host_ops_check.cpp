// Seeded comparisons of offered operator implementations with the built-in ones.
#include "plugin/host_ops_check.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <cstdio>
#include <limits>

namespace topress::plugin {

namespace {

// Rounding to a neighbour level would show as a whole step (>= 1e-2 here); equal levels differ by
// one rounding of the product at most.
constexpr double kForwardLimit = 1e-6;
// The gradient of a scale is a float sum whose order is free.
constexpr double kBackwardLimit = 1e-4;
constexpr std::uint64_t kSeed = 20240317;

struct QuantizeCase {
    const char* name;
    std::vector<std::int64_t> sizes;
    std::int64_t axis;
    std::int64_t low;
    std::int64_t high;
    bool channels_last;
    bool ties;
};

const std::vector<QuantizeCase>& quantize_cases() {
    static const std::vector<QuantizeCase> kCases = {
        {"per tensor, unsigned 4 bits", {3, 5, 7, 7}, -1, 0, 15, false, false},
        {"per tensor, signed 8 bits", {33}, -1, -128, 127, false, false},
        {"per tensor, channels-last", {2, 5, 7, 3}, -1, 0, 15, true, false},
        {"per channel, signed 4 bits", {6, 5, 3, 3}, 0, -8, 7, false, false},
        {"per channel, channels-last", {6, 5, 3, 3}, 0, -8, 7, true, false},
        {"per channel, linear weight", {10, 31}, 0, -2, 1, false, false},
        {"per channel, axis 1", {2, 5, 3, 3}, 1, -8, 7, false, false},
        {"per tensor, exact ties", {4, 16}, -1, -8, 7, false, true},
    };
    return kCases;
}

at::Tensor normal(const std::vector<std::int64_t>& sizes, at::Generator& generator) {
    return at::randn(sizes, generator, at::TensorOptions().dtype(at::kFloat));
}

at::Tensor laid_out(const at::Tensor& x, const QuantizeCase& wanted, at::Device device) {
    const at::Tensor moved = x.to(device);
    return wanted.channels_last ? moved.contiguous(at::MemoryFormat::ChannelsLast) : moved;
}

at::Tensor input_of(const QuantizeCase& wanted, at::Generator& generator) {
    if (wanted.ties) {  // k + 1/2 steps of 1/4, beyond both ends of the range
        return (at::arange(64, at::kFloat) - 31.5F).mul_(0.25F).reshape(wanted.sizes);
    }
    return normal(wanted.sizes, generator);
}

at::Tensor scale_of(const QuantizeCase& wanted, at::Generator& generator) {
    if (wanted.ties) {
        return at::full({1}, 0.25F);
    }
    const std::int64_t count =
        wanted.axis < 0 ? 1 : wanted.sizes[static_cast<std::size_t>(wanted.axis)];
    // About a third of the normal values lies outside of the range: both branches count.
    const auto levels = static_cast<double>(wanted.high - wanted.low + 1);
    return at::rand({count}, generator, at::TensorOptions().dtype(at::kFloat))
        .add_(0.5)
        .mul_(2.0 / levels);
}

std::string to_figure(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

/// What differs between a result and its reference, empty when nothing.
std::string differs(const at::Tensor& found, const at::Tensor& expected, double limit) {
    if (!found.defined()) {
        return "is undefined";
    }
    if (found.sizes() != expected.sizes() || found.scalar_type() != expected.scalar_type()) {
        return "has another shape or type";
    }
    const double size = expected.abs().max().item<double>();
    const double difference = (found - expected).abs().max().item<double>();
    if (difference <= limit * std::max(size, 1e-3)) {
        return {};
    }
    return "differs by " + to_figure(difference) + " where the largest value is " + to_figure(size);
}

std::string compare(const network::QuantizeImplementation& offered,
                    const QuantizeCase& wanted,
                    at::Generator& generator,
                    at::Device device) {
    const network::QuantizeImplementation& builtin = network::builtin_quantize();
    const at::Tensor x = laid_out(input_of(wanted, generator), wanted, device);
    const at::Tensor scale = scale_of(wanted, generator).to(device);
    const auto answer = [&](const network::QuantizeImplementation& implementation) {
        return implementation.forward(x, scale, wanted.low, wanted.high, wanted.axis);
    };
    if (std::string found = differs(answer(offered), answer(builtin), kForwardLimit);
        !found.empty()) {
        return "y " + found;
    }
    if (wanted.ties) {  // at the very ends of the range the gradient is a convention
        return {};
    }
    const at::Tensor grad_y = laid_out(normal(wanted.sizes, generator), wanted, device);
    constexpr double kFactor = 0.125;
    const auto gradients = [&](const network::QuantizeImplementation& implementation) {
        return implementation.backward(
            grad_y, x, scale, wanted.low, wanted.high, wanted.axis, kFactor);
    };
    const auto [grad_x, grad_scale] = gradients(offered);
    const auto [expected_x, expected_scale] = gradients(builtin);
    if (std::string found = differs(grad_x, expected_x, kBackwardLimit); !found.empty()) {
        return "grad_x " + found;
    }
    std::string found = differs(grad_scale, expected_scale, kBackwardLimit);
    return found.empty() ? found : "grad_scale " + found;
}

struct GateCase {
    std::int64_t samples;
    std::int64_t classes;
    double threshold;
    bool has_nan;
};

std::string compare(const network::ExitGate& offered,
                    const GateCase& wanted,
                    at::Generator& generator,
                    at::Device device) {
    constexpr const char* kCriterion = "max-probability";
    at::Tensor logits = normal({wanted.samples, wanted.classes}, generator).mul_(3);
    if (wanted.has_nan) {
        logits[wanted.samples / 2].fill_(std::numeric_limits<float>::quiet_NaN());
    }
    logits = logits.to(device);
    const auto [leave, stay] = offered(logits, kCriterion, wanted.threshold);
    const auto [expected_leave, expected_stay] =
        network::builtin_exit_gate()(logits, kCriterion, wanted.threshold);
    const auto same = [](const at::Tensor& a, const at::Tensor& b) {
        return a.defined() && a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
               at::equal(a, b);
    };
    if (same(leave, expected_leave) && same(stay, expected_stay)) {
        return {};
    }
    const auto count = [](const at::Tensor& indices) {
        return indices.defined() ? std::to_string(indices.numel()) : std::string("no tensor of");
    };
    return count(leave) + " leave and " + count(stay) + " stay, expected " + count(expected_leave) +
           " and " + count(expected_stay) + " (or other indices, order or type)";
}

}  // namespace

std::string find_disagreement(const network::QuantizeImplementation& offered, at::Device device) {
    const c10::NoGradGuard no_grad;
    at::Generator generator = at::detail::createCPUGenerator(kSeed);
    for (const QuantizeCase& wanted : quantize_cases()) {
        if (std::string found = compare(offered, wanted, generator, device); !found.empty()) {
            return std::string(wanted.name) + ": " + found;
        }
    }
    return {};
}

std::string find_disagreement(const network::ExitGate& offered, at::Device device) {
    const c10::NoGradGuard no_grad;
    at::Generator generator = at::detail::createCPUGenerator(kSeed);
    const GateCase cases[] = {
        {1, 10, 0.5, false},
        {33, 10, 0.9, false},
        {257, 3, 0.7, false},
        {257, 100, 0.3, true},
        {64, 10, 0.0, true},
        {64, 10, 1.5, false},
    };
    for (const GateCase& wanted : cases) {
        if (std::string found = compare(offered, wanted, generator, device); !found.empty()) {
            return std::to_string(wanted.samples) + " samples of " +
                   std::to_string(wanted.classes) + " classes, threshold " +
                   to_figure(wanted.threshold) + ": " + found;
        }
    }
    return {};
}

}  // namespace topress::plugin
