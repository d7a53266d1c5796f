// Tests topress/first_scales.hpp: scales of least squared error, of rows, weights and samples.
#include <topress/first_scales.hpp>

#include <doctest/doctest.h>

using namespace topress;

namespace {

at::Tensor some_values(at::IntArrayRef shape) {
    at::Generator random = at::detail::createCPUGenerator(11);
    return at::randn(shape, random, at::TensorOptions(at::kFloat));
}

/// Squared error of every row with these scales. Shape: (rows, N), (rows) -> (rows).
at::Tensor error_of(const at::Tensor& values, const at::Tensor& scales, int bits, bool is_signed) {
    const LevelRange range = level_range(bits, is_signed);
    const at::Tensor step = scales.unsqueeze(1);
    return ((values / step).round().clamp(range.low, range.high) * step - values).square().sum(1);
}

}  // namespace

TEST_CASE("first scales: levels of bits with and without a sign") {
    CHECK(level_range(4, true).low == -8);
    CHECK(level_range(4, true).high == 7);
    CHECK(level_range(2, false).low == 0);
    CHECK(level_range(2, false).high == 3);
}

TEST_CASE("first scales: nothing between the smallest and the one that clips nothing is better") {
    const at::Tensor values = some_values({6, 500});
    for (const bool is_signed : {true, false}) {
        const at::Tensor input = is_signed ? values : values.relu();
        for (const int bits : {2, 3, 4, 8}) {
            CAPTURE(bits);
            CAPTURE(is_signed);
            const at::Tensor best = best_scales(input, bits, is_signed);
            const at::Tensor error = error_of(input, best, bits, is_signed);
            const at::Tensor largest = input.abs().amax(1) / level_range(bits, is_signed).high;
            // A finer search than theirs finds little.
            for (int i = 1; i <= 200; ++i) {
                const at::Tensor other = error_of(input, largest * (i / 200.0), bits, is_signed);
                CHECK((error <= other * 1.1).all().item<bool>());
            }
        }
    }
}

TEST_CASE("first scales: a sign is multiplied by the mean magnitude, and zeros get a scale too") {
    const at::Tensor values = some_values({3, 100});
    CHECK(at::allclose(best_scales(values, 1, true), values.abs().mean(1)));
    CHECK(best_scales(at::zeros({2, 10}), 4, true).min().item<double>() ==
          doctest::Approx(kLeastScale));
}

TEST_CASE("first scales: a weight has one for every output channel, or one in all") {
    const at::Tensor weight = some_values({4, 3, 3, 3});
    CHECK(weight_scales(weight, 4, true).sizes() == at::IntArrayRef({4}));
    const at::Tensor one = weight_scales(weight, 4, false);
    CHECK(one.sizes() == at::IntArrayRef({1}));
    CHECK(at::equal(one, best_scales(weight.reshape({1, -1}), 4, true)));
}

TEST_CASE("first scales: a sample is spread over the activation") {
    const at::Tensor large = at::arange(1 << 17, at::kFloat).reshape({2, 1 << 8, 1 << 8});
    const at::Tensor sample = sample_of(large);
    CHECK(sample.sizes() == at::IntArrayRef({1, 1 << 15}));
    CHECK(sample[0][1].item<float>() == 4);
    CHECK(sample_of(large.slice(0, 0, 1).slice(1, 0, 2)).size(1) == 1 << 9);
    CHECK_FALSE(has_negative(sample));
    CHECK(has_negative(sample - 1));
}
