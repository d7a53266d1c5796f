// LSQ fake quantization: the reference against its definition, the kernels against the reference.
#include "kernels/fake_quant.hpp"

#include "parity/support/compare.hpp"
#include "parity/support/device.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace topress::parity {
namespace {

using quantization::FakeQuantRange;
using quantization::FakeQuantShape;

// Only grad_scale is not exact: float sums of up to 16 terms a thread, then trees, against double
// sums. Terms of both signs cancel, so the error is measured on sums about sqrt(n) times a term.
constexpr Limits kScaleGradientLimits{1e-10, 1e-5};

struct Case {
    FakeQuantShape shape;
    FakeQuantRange range;
    std::vector<float> x;
    std::vector<float> scale;
    std::vector<float> grad_y;
    float scale_factor;
};

Case make_case(FakeQuantShape shape, FakeQuantRange range) {
    Case made{shape,
              range,
              normal_values(shape.elements(), 1.0, 3),
              {},
              normal_values(shape.elements(), 1.0, 4),
              0.25f};
    for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
        made.scale.push_back(0.05f + 0.01f * static_cast<float>(channel % 17));
    }
    // Exact halves of the grid, where rounding to even shows, and both ends of the range.
    for (std::size_t i = 0; i + 8 < made.x.size(); i += 9) {
        made.x[i] = made.scale[0] * (static_cast<float>(i % 12) - 5.5f);
    }
    return made;
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
    std::vector<std::uint32_t> bits;
    for (const float value : values) {
        bits.push_back(std::bit_cast<std::uint32_t>(value));
    }
    return bits;
}

std::vector<float> forward_reference(const Case& c) {
    std::vector<float> y(c.x.size());
    quantization::fake_quant_forward_cpu(c.x.data(), c.scale.data(), c.shape, c.range, y.data());
    return y;
}

struct Gradients {
    std::vector<float> x;
    std::vector<float> scale;
};

Gradients backward_reference(const Case& c) {
    Gradients gradients{std::vector<float>(c.x.size()), std::vector<float>(c.scale.size())};
    quantization::fake_quant_backward_cpu(c.grad_y.data(),
                                          c.x.data(),
                                          c.scale.data(),
                                          c.shape,
                                          c.range,
                                          c.scale_factor,
                                          gradients.x.data(),
                                          gradients.scale.data());
    return gradients;
}

// How many floats after a multiple of 16 bytes the arrays of a kernel begin.
struct Skews {
    std::size_t x = 0;
    std::size_t grad_y = 0;
    std::size_t result = 0;
};

// An array that begins `skew` floats after a multiple of 16 bytes, in memory of the kernel.
class SkewedArray {
  public:
    SkewedArray(const std::vector<float>& values, std::size_t skew, const char* name)
        : skew_(skew), array_(behind(values, skew), name) {}

    SkewedArray(std::size_t size, std::size_t skew, const char* name)
        : skew_(skew), array_(size + skew, name) {}

    [[nodiscard]] float* data() { return array_.data() + skew_; }

    [[nodiscard]] const DeviceArray<float>& whole() const { return array_; }

    // Checks that nobody wrote before the first value.
    [[nodiscard]] std::vector<float> values() const {
        const std::vector<float> all = array_.values();
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(skew_);
        constexpr std::uint32_t kUnwritten = 0xffffffffu;
        CHECK(bits_of({all.begin(), first}) == std::vector<std::uint32_t>(skew_, kUnwritten));
        return {first, all.end()};
    }

  private:
    static std::vector<float> behind(const std::vector<float>& values, std::size_t skew) {
        std::vector<float> all(skew, 0.0f);
        all.insert(all.end(), values.begin(), values.end());
        return all;
    }

    std::size_t skew_;
    DeviceArray<float> array_;
};

std::vector<float> forward_kernel(const Case& c, Skews skews = {}) {
    SkewedArray x(c.x, skews.x, "x");
    DeviceArray<float> scale(c.scale, "scale");
    std::vector<float> result;
    check_repeatable([&] {
        SkewedArray y(c.x.size(), skews.result, "y");
        quantization::launch_fake_quant_forward(
            x.data(), scale.data(), c.shape, c.range, y.data(), stream());
        result = y.values();
        return bytes_of(y.whole());
    });
    return result;
}

Gradients backward_kernel(const Case& c, Skews skews = {}) {
    SkewedArray x(c.x, skews.x, "x");
    DeviceArray<float> scale(c.scale, "scale");
    SkewedArray grad_y(c.grad_y, skews.grad_y, "grad_y");
    const auto floats =
        static_cast<std::size_t>(quantization::fake_quant_workspace_floats(c.shape));
    Gradients result;
    check_repeatable([&] {
        SkewedArray grad_x(c.x.size(), skews.result, "grad_x");
        DeviceArray<float> grad_scale(c.scale.size(), "grad_scale");
        DeviceArray<float> workspace(floats, "workspace");
        quantization::launch_fake_quant_backward(grad_y.data(),
                                                 x.data(),
                                                 scale.data(),
                                                 c.shape,
                                                 c.range,
                                                 c.scale_factor,
                                                 grad_x.data(),
                                                 grad_scale.data(),
                                                 workspace.data(),
                                                 stream());
        result = {grad_x.values(), grad_scale.values()};
        return bytes_of(grad_x.whole(), grad_scale);
    });
    return result;
}

void check_parity(const Case& c) {
    CHECK(bits_of(forward_kernel(c)) == bits_of(forward_reference(c)));
    const Gradients expected = backward_reference(c);
    const Gradients actual = backward_kernel(c);
    CHECK(bits_of(actual.x) == bits_of(expected.x));
    check_close(actual.scale, expected.scale, kScaleGradientLimits);
}

// Unaligned arrays take another path, which must give the bits of the aligned one.
void check_skewed(const Case& c, Skews skews) {
    CHECK(bits_of(forward_kernel(c, skews)) == bits_of(forward_kernel(c)));
    const Gradients aligned = backward_kernel(c);
    const Gradients skewed = backward_kernel(c, skews);
    CHECK(bits_of(skewed.x) == bits_of(aligned.x));
    CHECK(bits_of(skewed.scale) == bits_of(aligned.scale));
}

constexpr FakeQuantRange kSigned4{-8, 7};
constexpr FakeQuantRange kUnsigned4{0, 15};

}  // namespace

TEST_CASE("fake_quant: the reference rounds halves to even and clamps both ends") {
    Case c = make_case({1, 1, 9}, kSigned4);
    c.scale = {0.5f};
    c.x = {0.25f, 0.75f, 1.25f, -0.25f, -0.75f, 3.5f, 3.76f, -4.0f, -100.0f};
    const std::vector<float> expected = {0.0f, 1.0f, 1.0f, -0.0f, -1.0f, 3.5f, 3.5f, -4.0f, -4.0f};
    CHECK(forward_reference(c) == expected);
}

TEST_CASE("fake_quant: the reference rounds as rintf does") {
    // Every quarter of a wide range: rounding by a shifted addition must agree with the C library.
    Case c = make_case({1, 1, 80001}, {-10000, 10000});
    c.scale = {1.0f};
    for (std::size_t i = 0; i < c.x.size(); ++i) {
        c.x[i] = (static_cast<float>(i) - 40000.0f) / 4.0f;
    }
    const auto y = forward_reference(c);
    std::size_t different = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        different += y[i] != std::rint(c.x[i]) ? 1 : 0;
    }
    CHECK(different == 0);
}

TEST_CASE("fake_quant: the scale gradient of the reference agrees with finite differences") {
    // LSQ differentiates y(s) = s * (x / s + r), r = round(v) - v held fixed, or s * lo, or s * hi.
    Case c = make_case({2, 3, 5}, kSigned4);
    for (float& x : c.x) {
        x *= 0.4f;
    }
    const Gradients gradients = backward_reference(c);
    constexpr double kStep = 1e-4;
    for (std::int64_t channel = 0; channel < 3; ++channel) {
        CAPTURE(channel);
        double difference = 0.0;
        for (std::int64_t k = 0; k < 30; ++k) {
            if (k / 5 % 3 != channel) {
                continue;
            }
            const auto at = static_cast<std::size_t>(k);
            const float v = c.x[at] / c.scale[static_cast<std::size_t>(channel)];
            const double s = static_cast<double>(c.scale[static_cast<std::size_t>(channel)]);
            const double fixed = static_cast<double>(std::rint(v) - v);
            const auto y = [&](double scale) {
                const double inside = static_cast<double>(c.x[at]) + scale * fixed;
                return v < -8.0f ? -8.0 * scale : (v > 7.0f ? 7.0 * scale : inside);
            };
            difference +=
                static_cast<double>(c.grad_y[at]) * (y(s + kStep) - y(s - kStep)) / (2 * kStep);
        }
        CHECK(gradients.scale[static_cast<std::size_t>(channel)] ==
              doctest::Approx(0.25 * difference).epsilon(1e-6));
    }
}

TEST_CASE("fake_quant: the input gradient passes inside the range only") {
    Case c = make_case({1, 1, 5}, kUnsigned4);
    c.scale = {1.0f};
    c.x = {-0.01f, 0.0f, 7.3f, 15.0f, 15.01f};
    c.grad_y = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
    const Gradients gradients = backward_reference(c);
    CHECK(gradients.x == std::vector<float>{0.0f, 2.0f, 3.0f, 4.0f, 0.0f});
    CHECK(gradients.scale[0] ==
          doctest::Approx(0.25 * (3.0 * (7.0 - 7.3) + 5.0 * 15.0)).epsilon(1e-5));
}

TEST_CASE("fake_quant: the reference gives the same bits for any number of threads") {
#if defined(_OPENMP)
    const Case c = make_case({3, 5, 4000}, kSigned4);
    const int threads_before = omp_get_max_threads();
    omp_set_num_threads(1);
    const Gradients one = backward_reference(c);
    const auto forward_one = forward_reference(c);
    omp_set_num_threads(3);
    const Gradients three = backward_reference(c);
    const auto forward_three = forward_reference(c);
    omp_set_num_threads(threads_before);
    CHECK(bits_of(one.scale) == bits_of(three.scale));
    CHECK(bits_of(one.x) == bits_of(three.x));
    CHECK(bits_of(forward_one) == bits_of(forward_three));
#else
    MESSAGE("built without OpenMP: there is one thread");
#endif
}

TEST_CASE("fake_quant: kernels agree with the reference per tensor") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t size : {0, 1, 31, 32, 33, 257, 4095, 4096, 4097, 12301}) {
        CAPTURE(size);
        check_parity(make_case({1, 1, size}, kSigned4));
    }
}

TEST_CASE("fake_quant: kernels agree with the reference per channel") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t channels : {0, 1, 31, 33}) {
        CAPTURE(channels);
        check_parity(make_case({1, channels, 27}, kSigned4));
        check_parity(make_case({3, channels, 1}, kUnsigned4));
    }
}

TEST_CASE("fake_quant: kernels agree with the reference where a channel has several pieces") {
    TOPRESS_REQUIRE_GPU();
    check_parity(make_case({1, 2, 4099}, kSigned4));
    check_parity(make_case({131, 2, 33}, {-1, 1}));
}

TEST_CASE("fake_quant: kernels agree with the reference where quads lie in one channel") {
    TOPRESS_REQUIRE_GPU();
    check_parity(make_case({1, 33, 4}, kSigned4));
    check_parity(make_case({3, 5, 8}, kUnsigned4));
    check_parity(make_case({1, 2, 4100}, kSigned4));
    check_parity(make_case({131, 2, 36}, {-1, 1}));
    check_parity(make_case({3, 1, 7}, kSigned4));  // quads reach over the ends of `inner`
}

TEST_CASE("fake_quant: kernels agree with the reference around their largest grids and sums") {
    TOPRESS_REQUIRE_GPU();
    // From 2^17 elements a thread of the forward kernel has two packs; above 32 pieces of a channel
    // 1024 threads add them up.
    for (const std::int64_t size : {131072, 131073}) {
        CAPTURE(size);
        check_parity(make_case({1, 1, size}, kSigned4));
    }
}

TEST_CASE("fake_quant: unaligned arrays get the bits of aligned ones") {
    TOPRESS_REQUIRE_GPU();
    const std::vector<Skews> all = {{1, 0, 0}, {0, 2, 0}, {0, 0, 3}, {1, 1, 1}};
    for (const Skews& skews : all) {
        CAPTURE(skews.x);
        CAPTURE(skews.grad_y);
        CAPTURE(skews.result);
        for (const std::int64_t size : {1, 257, 4099, 8192}) {
            CAPTURE(size);
            check_skewed(make_case({1, 1, size}, kSigned4), skews);
        }
        check_skewed(make_case({5, 3, 8}, kSigned4), skews);
        check_skewed(make_case({2, 3, 5}, kSigned4), skews);
    }
}

TEST_CASE("fake_quant: zeros keep the bits of the reference") {
    TOPRESS_REQUIRE_GPU();
    for (const FakeQuantRange& range : {kSigned4, kUnsigned4}) {
        Case c = make_case({1, 1, 41}, range);
        for (std::size_t i = 0; i < c.x.size(); ++i) {
            c.x[i] = i % 2 == 0 ? 0.0f : -0.0f;
        }
        check_parity(c);
    }
}

TEST_CASE("fake_quant: kernels agree with the reference for empty dimensions") {
    TOPRESS_REQUIRE_GPU();
    check_parity(make_case({0, 3, 4}, kSigned4));
    check_parity(make_case({4, 3, 0}, kSigned4));
    CHECK(backward_kernel(make_case({0, 3, 4}, kSigned4)).scale == std::vector<float>(3, 0.0f));
}

TEST_CASE("fake_quant: NaN stays NaN and infinity is clamped") {
    TOPRESS_REQUIRE_GPU();
    Case c = make_case({1, 1, 40}, kSigned4);
    const float infinity = std::numeric_limits<float>::infinity();
    c.x[3] = std::numeric_limits<float>::quiet_NaN();
    c.x[5] = infinity;
    c.x[7] = -infinity;
    for (const auto& y : {forward_reference(c), forward_kernel(c)}) {
        CHECK(std::isnan(y[3]));
        CHECK(y[5] == 7 * c.scale[0]);
        CHECK(y[7] == -8 * c.scale[0]);
    }
    for (const Gradients& gradients : {backward_reference(c), backward_kernel(c)}) {
        CHECK(std::isnan(gradients.scale[0]));
        CHECK(gradients.x[3] == 0.0f);
        CHECK(gradients.x[5] == 0.0f);
    }
}

TEST_CASE("fake_quant: results may overwrite their input") {
    TOPRESS_REQUIRE_GPU();
    const Case c = make_case({2, 3, 40}, kSigned4);
    DeviceArray<float> x(c.x, "x");
    DeviceArray<float> scale(c.scale, "scale");
    quantization::launch_fake_quant_forward(
        x.data(), scale.data(), c.shape, c.range, x.data(), stream());
    CHECK(bits_of(x.values()) == bits_of(forward_reference(c)));
}

TEST_CASE("fake_quant: wrong arguments are refused") {
    float value = 1.0f;
    const auto refuses =
        [&value](FakeQuantShape shape, FakeQuantRange range, const float* x, const float* scale) {
            CHECK_THROWS_AS(quantization::fake_quant_forward_cpu(x, scale, shape, range, &value),
                            std::invalid_argument);
            CHECK_THROWS_AS(
                quantization::launch_fake_quant_forward(x, scale, shape, range, &value, stream()),
                std::invalid_argument);
            CHECK_THROWS_AS(quantization::fake_quant_backward_cpu(
                                &value, x, scale, shape, range, 1.0f, &value, &value),
                            std::invalid_argument);
            CHECK_THROWS_AS(
                quantization::launch_fake_quant_backward(
                    &value, x, scale, shape, range, 1.0f, &value, &value, &value, stream()),
                std::invalid_argument);
        };
    refuses({1, 1, -1}, kSigned4, &value, &value);
    refuses({1, 1, 1}, {7, 7}, &value, &value);
    refuses({1, 1, 1}, {-8, 1 << 22}, &value, &value);
    refuses({1, 1, 1}, kSigned4, nullptr, &value);
    refuses({1, 1, 1}, kSigned4, &value, nullptr);
}

}  // namespace topress::parity
