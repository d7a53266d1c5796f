// Channel group norms: the kernel against the CPU reference, and the reference against plain sums.
#include "kernels/group_l2.hpp"

#include "parity/support/compare.hpp"
#include "parity/support/device.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

namespace topress::parity {
namespace {

using pruning::GroupSegment;

// Sixteen squares in float, sums of them with their error carried along: the last digit of a float,
// about 6e-8, a few times.
constexpr Limits kFloatLimits{1e-13, 5e-7};

// A segment before its data have an address.
struct Extent {
    std::int64_t outer;
    std::int64_t channels;
    std::int64_t inner;
    std::int64_t out_offset;
    float scale;
};

// Data of each extent.
std::vector<std::vector<float>> make_data(const std::vector<Extent>& extents, std::uint64_t seed) {
    std::vector<std::vector<float>> data;
    for (const Extent& extent : extents) {
        data.push_back(
            normal_values(extent.outer * extent.channels * extent.inner, 0.5, seed + data.size()));
    }
    return data;
}

GroupSegment place(const Extent& extent, const float* data) {
    return {data, extent.outer, extent.channels, extent.inner, extent.out_offset, extent.scale};
}

std::vector<float> reference(const std::vector<Extent>& extents,
                             const std::vector<std::vector<float>>& data,
                             std::int64_t size) {
    std::vector<GroupSegment> segments;
    for (std::size_t s = 0; s < extents.size(); ++s) {
        segments.push_back(place(extents[s], data[s].data()));
    }
    std::vector<float> importance(static_cast<std::size_t>(size), -1.0f);
    pruning::group_l2_cpu(segments.data(), std::ssize(segments), importance.data(), size);
    return importance;
}

std::vector<float> run_kernel(const std::vector<Extent>& extents,
                              const std::vector<std::vector<float>>& data,
                              std::int64_t size) {
    std::vector<std::unique_ptr<DeviceArray<float>>> on_device;
    std::vector<GroupSegment> segments;
    for (std::size_t s = 0; s < extents.size(); ++s) {
        on_device.push_back(std::make_unique<DeviceArray<float>>(data[s], "data"));
        segments.push_back(place(extents[s], on_device.back()->data()));
    }
    DeviceArray<GroupSegment> device_segments(segments, "segments");
    std::vector<float> result;
    check_repeatable([&] {
        DeviceArray<float> importance(static_cast<std::size_t>(size), "importance");
        pruning::launch_group_l2(
            device_segments.data(), std::ssize(segments), importance.data(), size, stream());
        result = importance.values();
        return bytes_of(importance);
    });
    return result;
}

void check_parity(const std::vector<Extent>& extents, std::int64_t size) {
    const auto data = make_data(extents, 5);
    check_close(run_kernel(extents, data, size), reference(extents, data, size), kFloatLimits);
}

// A small residual network: two groups, each with producers, consumers and batch norms.
const std::vector<Extent> kTwoGroups = {
    {1, 16, 27, 0, 1.0f},   // stem, output channels
    {1, 16, 1, 0, 0.5f},    // its batch norm
    {1, 16, 144, 0, 1.0f},  // a residual branch that ends in the same group
    {33, 16, 9, 0, 1.0f},   // its consumer, input channels
    {1, 33, 144, 16, 1.0f},
    {1, 33, 1, 16, 1.0f},
    {10, 33, 1, 16, 2.0f},
};

}  // namespace

TEST_CASE("group_l2: the reference is the plain sum of squares") {
    const std::vector<Extent> extents = {{2, 2, 3, 1, 1.0f}, {1, 2, 1, 2, 10.0f}};
    const std::vector<std::vector<float>> data = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 3}};
    // Channel 0: 1+4+9 + 49+64+81; channel 1: 16+25+36 + 100+121+144, plus 10 * 4; then 10 * 9.
    CHECK(reference(extents, data, 5) == std::vector<float>{0.0f, 208.0f, 482.0f, 90.0f, 0.0f});
}

TEST_CASE("group_l2: the reference does not depend on how rows are split") {
    // (1, 5, 60) and (5 rows of 60) are the same numbers; sums over 60 and over 4 * 15 agree.
    const std::vector<std::vector<float>> data = {normal_values(300, 1.0, 9)};
    const auto whole = reference({{1, 5, 60, 0, 1.0f}}, data, 5);
    for (std::size_t channel = 0; channel < 5; ++channel) {
        double sum = 0.0;
        for (std::size_t i = 0; i < 60; ++i) {
            const double value = static_cast<double>(data[0][channel * 60 + i]);
            sum += value * value;
        }
        CHECK(whole[channel] == doctest::Approx(sum).epsilon(1e-6));
    }
}

TEST_CASE("group_l2: kernel agrees with the reference for every number of channels") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t channels : {0, 1, 7, 8, 9, 31, 32, 33, 257}) {
        CAPTURE(channels);
        check_parity({{3, channels, 9, 0, 1.0f}}, channels);
    }
}

TEST_CASE("group_l2: kernel agrees with the reference for every row length") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t inner : {0, 1, 31, 32, 33, 127, 128, 129, 257}) {
        CAPTURE(inner);
        check_parity({{1, 3, inner, 0, 1.0f}}, 3);
        check_parity({{7, 3, inner, 0, 1.0f}}, 3);
    }
}

TEST_CASE("group_l2: kernel agrees with the reference for every number of rows") {
    TOPRESS_REQUIRE_GPU();
    // 14 rows of 2 * 9 elements are read at once, 16 times: 224 rows without a rest.
    for (const std::int64_t outer : {0, 1, 31, 32, 33, 223, 224, 225, 257, 1031}) {
        CAPTURE(outer);
        check_parity({{outer, 2, 1, 0, 1.0f}}, 2);
        check_parity({{outer, 2, 9, 0, 1.0f}}, 2);
    }
    // From 16 rows on, long ones are read down their columns.
    for (const std::int64_t outer : {15, 16, 17, 31, 32, 33, 257}) {
        CAPTURE(outer);
        check_parity({{outer, 9, 49, 0, 1.0f}}, 9);
    }
}

TEST_CASE("group_l2: a segment may begin and end anywhere among the entries of a block") {
    TOPRESS_REQUIRE_GPU();
    for (const std::int64_t offset : {0, 1, 7, 8, 13}) {
        for (const std::int64_t channels : {1, 8, 19}) {
            CAPTURE(offset);
            CAPTURE(channels);
            check_parity({{20, channels, 9, offset, 1.0f},
                          {1, channels, 40, offset, 0.5f},
                          {17, channels, 33, offset, 2.0f},
                          {1, channels, 1, offset, 1.0f}},
                         offset + channels + 3);
        }
    }
}

TEST_CASE("group_l2: more segments than a warp looks at, and empty ones among them") {
    TOPRESS_REQUIRE_GPU();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::vector<Extent> extents;
    for (std::int64_t s = 0; s < 24; ++s) {
        extents.push_back({3, 5, 1 + s, s % 13, 1.0f});
        extents.push_back({1, 1 + s, 30 + s, 2, 1.0f});
        // Nothing times infinity would be NaN.
        extents.push_back(
            {s % 3 == 0 ? 0 : 1, s % 3 == 1 ? 0 : 4, s % 3 == 2 ? 0 : 4, 0, kInfinity});
    }
    for (const std::size_t count : {32, 33, 64, 65}) {
        CAPTURE(count);
        const auto end = extents.begin() + static_cast<std::ptrdiff_t>(count);
        check_parity({extents.begin(), end}, 27);
    }
}

TEST_CASE("group_l2: segments that share channels add up in order") {
    TOPRESS_REQUIRE_GPU();
    check_parity(kTwoGroups, 50);
}

TEST_CASE("group_l2: a large channel keeps its digits") {
    TOPRESS_REQUIRE_GPU();
    // Equal squares: a plain float sum of the 12,502 that one lane adds up would lose digits.
    const double square = static_cast<double>(0.1f) * static_cast<double>(0.1f);
    for (const Extent& extent : {Extent{1, 1, 400033, 0, 1.0f}, Extent{44449, 1, 9, 0, 1.0f}}) {
        const std::int64_t elements = extent.outer * extent.inner;
        CAPTURE(elements);
        const std::vector<float> data(static_cast<std::size_t>(elements), 0.1f);
        const auto actual = run_kernel({extent}, {data}, 1);
        const double expected = static_cast<double>(elements) * square;
        CHECK(std::abs(static_cast<double>(actual[0]) / expected - 1.0) < 2e-7);
    }
}

TEST_CASE("group_l2: channels that no segment covers are zero") {
    TOPRESS_REQUIRE_GPU();
    CHECK(run_kernel({}, {}, 3) == std::vector<float>(3, 0.0f));
    const std::vector<Extent> extents = {{1, 1, 4, 1, 1.0f}};
    const auto actual = run_kernel(extents, {{1, 1, 1, 1}}, 3);
    CHECK(actual == std::vector<float>{0.0f, 4.0f, 0.0f});
}

TEST_CASE("group_l2: data that are not finite give importance that is not finite") {
    TOPRESS_REQUIRE_GPU();
    const std::vector<Extent> extents = {{1, 2, 2, 0, 1.0f}};
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto actual = run_kernel(extents, {{1.0f, nan, 2.0f, 2.0f}}, 2);
    CHECK(std::isnan(actual[0]));
    CHECK(actual[1] == 8.0f);
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK_FALSE(std::isfinite(run_kernel(extents, {{1.0f, infinity, 2.0f, 2.0f}}, 2)[0]));
    // One of 9 channels alone, in every way of reading.
    for (const Extent& extent :
         {Extent{20, 9, 4, 0, 1.0f}, {2, 9, 40, 0, 1.0f}, {20, 9, 40, 0, 1.0f}}) {
        const std::int64_t elements = extent.outer * extent.channels * extent.inner;
        std::vector<float> data(static_cast<std::size_t>(elements), 1.0f);
        data[static_cast<std::size_t>(7 * extent.inner)] = nan;
        std::vector<float> expected(9, static_cast<float>(extent.outer * extent.inner));
        expected[7] = nan;
        check_close(run_kernel({extent}, {data}, 9), expected, kFloatLimits);
    }
}

TEST_CASE("group_l2: wrong arguments are refused") {
    float value = 1.0f;
    const auto refuses = [&value](const GroupSegment& segment) {
        CHECK_THROWS_AS(pruning::group_l2_cpu(&segment, 1, &value, 1), std::invalid_argument);
    };
    refuses({&value, 1, 2, 1, 0, 1.0f});
    refuses({&value, 1, 1, 1, 1, 1.0f});
    refuses({&value, 1, 1, 1, -1, 1.0f});
    refuses({&value, -1, 1, 1, 0, 1.0f});
    refuses({nullptr, 1, 1, 1, 0, 1.0f});
    CHECK_THROWS_AS(pruning::launch_group_l2(nullptr, 1, &value, 1, stream()),
                    std::invalid_argument);
    CHECK_THROWS_AS(pruning::launch_group_l2(nullptr, 0, nullptr, 1, stream()),
                    std::invalid_argument);
}

}  // namespace topress::parity
