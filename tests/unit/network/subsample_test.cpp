// Tests keeping every stride-th pixel: the same as slices, forward and backward, in any type.
#include "network/operators/subsample.hpp"

#include "unit/network/networks.hpp"

#include <ATen/Parallel.h>

using namespace topress;
using test::random_tensor;

namespace {

struct Kept {
    at::Tensor y;
    at::Tensor gradient;
};

/// What is kept of x, and the gradient of x where every kept value has its own weight.
template <class Keep>
Kept keep(const at::Tensor& x, const Keep& how) {
    const at::Tensor own = x.detach().clone().set_requires_grad(true);
    const at::Tensor y = how(own);
    const at::Tensor weight = at::arange(y.numel(), y.options().requires_grad(false));
    (y * weight.remainder(9).sub(4).reshape(y.sizes())).sum().backward();
    return {y.detach(), own.grad()};
}

}  // namespace

TEST_SUITE("network") {
    TEST_CASE("subsample: the same as slices, forward and backward") {
        const std::vector<std::vector<std::int64_t>> shapes{
            {1, 1, 1, 1}, {2, 3, 5, 7}, {3, 8, 6, 6}, {2, 5, 1, 9}, {40, 8, 28, 28}};
        for (const auto& shape : shapes) {
            for (const network::PixelStride stride : {network::PixelStride{2, 2},
                                                      network::PixelStride{1, 3},
                                                      network::PixelStride{4, 1}}) {
                for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
                    CAPTURE(shape);
                    CAPTURE(stride.rows);
                    CAPTURE(stride.columns);
                    CAPTURE(type);
                    const at::Tensor x =
                        random_tensor(shape, 1).to(type).contiguous(at::MemoryFormat::ChannelsLast);
                    const Kept fast = keep(
                        x, [&](const at::Tensor& own) { return network::subsample(own, stride); });
                    const Kept sliced = keep(x, [&](const at::Tensor& own) {
                        return own.slice(2, 0, std::nullopt, stride.rows)
                            .slice(3, 0, std::nullopt, stride.columns);
                    });
                    CHECK(fast.y.is_contiguous(at::MemoryFormat::ChannelsLast));
                    CHECK(fast.y.equal(sliced.y));
                    CHECK(fast.gradient.equal(sliced.gradient));
                }
            }
        }
    }

    TEST_CASE("subsample: another memory format stays as it is") {
        const at::Tensor x = random_tensor({2, 3, 5, 7}, 1);
        const at::Tensor y = network::subsample(x, {2, 2});
        CHECK(y.is_contiguous());
        CHECK(y.equal(x.slice(2, 0, std::nullopt, 2).slice(3, 0, std::nullopt, 2)));
    }

    TEST_CASE("subsample: threads change nothing") {
        const at::Tensor x =
            random_tensor({64, 6, 20, 20}, 1).contiguous(at::MemoryFormat::ChannelsLast);
        const int before = at::get_num_threads();
        std::vector<Kept> results;
        for (const int threads : {1, 3}) {
            at::set_num_threads(threads);
            results.push_back(
                keep(x, [](const at::Tensor& own) { return network::subsample(own, {2, 2}); }));
        }
        at::set_num_threads(before);
        CHECK(results[0].y.equal(results[1].y));
        CHECK(results[0].gradient.equal(results[1].gradient));
    }
}
