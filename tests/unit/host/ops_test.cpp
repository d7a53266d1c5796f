// Operator implementations offered by a plugin: compared with the built-in, then used or refused.
#include "network/execute.hpp"
#include "network/operators.hpp"
#include "unit/host/stage.hpp"

#include <topress/ops.hpp>

namespace topress::test {

namespace {

using Tensors = std::pair<at::Tensor, at::Tensor>;

int g_calls = 0;

at::Tensor good_forward(const at::Tensor& x,
                        const at::Tensor& scale,
                        std::int64_t low,
                        std::int64_t high,
                        std::int64_t axis) {
    ++g_calls;
    return network::builtin_quantize().forward(x, scale, low, high, axis);
}

Tensors good_backward(const at::Tensor& grad_y,
                      const at::Tensor& x,
                      const at::Tensor& scale,
                      std::int64_t low,
                      std::int64_t high,
                      std::int64_t axis,
                      double factor) {
    return network::builtin_quantize().backward(grad_y, x, scale, low, high, axis, factor);
}

at::Tensor shifted_forward(const at::Tensor& x,
                           const at::Tensor& scale,
                           std::int64_t low,
                           std::int64_t high,
                           std::int64_t axis) {
    return good_forward(x, scale, low, high, axis).add(1e-3);
}

at::Tensor half_up_forward(const at::Tensor& x,
                           const at::Tensor& scale,
                           std::int64_t low,
                           std::int64_t high,
                           std::int64_t axis) {
    if (axis >= 0) {
        return good_forward(x, scale, low, high, axis);
    }
    return x.div(scale).add(0.5).floor().clamp(low, high).mul(scale);
}

Tensors unscaled_backward(const at::Tensor& grad_y,
                          const at::Tensor& x,
                          const at::Tensor& scale,
                          std::int64_t low,
                          std::int64_t high,
                          std::int64_t axis,
                          double) {
    return good_backward(grad_y, x, scale, low, high, axis, 1);
}

at::Tensor throwing_forward(
    const at::Tensor&, const at::Tensor&, std::int64_t, std::int64_t, std::int64_t) {
    throw std::runtime_error("no kernel");
}

at::Tensor picky_forward(const at::Tensor& x,
                         const at::Tensor& scale,
                         std::int64_t low,
                         std::int64_t high,
                         std::int64_t axis) {
    if (axis >= 0) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED, "per tensor only");
    }
    return good_forward(x, scale, low, high, axis);
}

Tensors good_gate(const at::Tensor& logits, std::string_view criterion, double threshold) {
    ++g_calls;
    return network::builtin_exit_gate()(logits, criterion, threshold);
}

Tensors reversed_gate(const at::Tensor& logits, std::string_view criterion, double threshold) {
    const Tensors indices = good_gate(logits, criterion, threshold);
    return {indices.first.flip(0), indices.second};
}

Tensors int32_gate(const at::Tensor& logits, std::string_view criterion, double threshold) {
    const Tensors indices = good_gate(logits, criterion, threshold);
    return {indices.first.to(at::kInt), indices.second};
}

Tensors nan_leaves_gate(const at::Tensor& logits, std::string_view criterion, double threshold) {
    return good_gate(logits.nan_to_num(), criterion, threshold);
}

/// Puts the built-ins back, whatever a case did.
struct Builtins {
    Builtins() {
        topress::detail::g_host = &plugin::host_interface();
        g_calls = 0;
    }

    ~Builtins() {
        network::set_quantize_implementation({});
        network::set_exit_gate({});
    }
};

at::Tensor quantized(const at::Tensor& x) {
    const at::Tensor scale = at::full({1}, 0.25, x.options());
    return network::quantize_implementation().forward(x, scale, -8, 7, -1);
}

}  // namespace

TEST_SUITE("host: ops") {
    TEST_CASE("an implementation that agrees is used for float and only there") {
        const Builtins builtins;
        implement_quantize<good_forward, good_backward>();
        CHECK(g_calls > 5);
        g_calls = 0;
        const at::Tensor x = at::linspace(-3, 3, 40);
        CHECK(at::equal(quantized(x), x.div(0.25).round().clamp(-8, 7).mul(0.25)));
        CHECK(g_calls == 1);
        CHECK((quantized(x.to(at::kDouble)).scalar_type() == at::kDouble));
        CHECK(g_calls == 1);
    }

    TEST_CASE("an implementation that disagrees is refused with figures") {
        const Builtins builtins;
        const auto refusal = [](void (*offer)()) { return error_of(offer); };
        const PluginError shifted =
            refusal([] { implement_quantize<shifted_forward, good_backward>(); });
        CHECK(shifted.code() == TOPRESS_ERROR_FAILED);
        CHECK(shifted.where() == "quantize");
        CHECK(contains(shifted.what(), "per tensor, unsigned 4 bits: y differs by 0.001"));
        const PluginError ties =
            refusal([] { implement_quantize<half_up_forward, good_backward>(); });
        CHECK(contains(ties.what(), "exact ties"));
        const PluginError gradient =
            refusal([] { implement_quantize<good_forward, unscaled_backward>(); });
        CHECK(contains(gradient.what(), "grad_scale differs"));
        g_calls = 0;
        static_cast<void>(quantized(at::ones({3})));
        CHECK(g_calls == 0);
    }

    TEST_CASE("an implementation that throws is refused with its message") {
        const Builtins builtins;
        const PluginError error =
            error_of([] { implement_quantize<throwing_forward, good_backward>(); });
        CHECK(std::string(error.what()) == "no kernel");
    }

    TEST_CASE("what an implementation does not support is done by the built-in") {
        const Builtins builtins;
        implement_quantize<picky_forward, good_backward>();
        g_calls = 0;
        const at::Tensor y = network::quantize_implementation().forward(
            at::ones({2, 2}), at::full({2}, 0.5), -8, 7, 0);
        CHECK(y.sum().item<double>() == 4);
        CHECK(g_calls == 0);
    }

    TEST_CASE("a gate that agrees is used by early-exit inference") {
        const Builtins builtins;
        implement_exit_gate<good_gate>();
        network::Network net = make_network();
        net.add_exit({"early", "l.out", "max-probability", 0.5});
        g_calls = 0;
        static_cast<void>(network::forward_with_exits(net, at::rand({4, 1, 8, 8})));
        CHECK(g_calls == 1);
    }

    TEST_CASE("a gate must give exact int64 indices in order and keep undefined samples in") {
        const Builtins builtins;
        CHECK(status_of([] { implement_exit_gate<reversed_gate>(); }) == TOPRESS_ERROR_FAILED);
        CHECK(status_of([] { implement_exit_gate<int32_gate>(); }) == TOPRESS_ERROR_FAILED);
        const PluginError nan = error_of([] { implement_exit_gate<nan_leaves_gate>(); });
        CHECK(contains(nan.what(), "64 samples of 10 classes, threshold 0: 64 leave"));
        CHECK(nan.where() == "exit gate");
    }
}

}  // namespace topress::test
