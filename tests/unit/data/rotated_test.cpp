// Tests data/rotate.cpp and data/rotated.cpp: pictures that were turned by a known angle.
#include "data/dataset.hpp"
#include "data/rotate.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

#include <string>
#include <vector>

using namespace topress;
using data::rotate_plane;
using data::test::idx_bytes;
using data::test::Scratch;

namespace {

std::vector<std::uint8_t> turned(const std::vector<std::uint8_t>& picture,
                                 data::PictureSize size,
                                 double angle) {
    std::vector<std::uint8_t> result(picture.size(), 99);
    rotate_plane(picture.data(), size, angle, result.data());
    return result;
}

// `count` pictures of 9 x 9 with a bright bar to the right of the middle.
void write_fashion(const Scratch& scratch, std::uint32_t count) {
    std::string pixels;
    for (std::uint32_t n = 0; n < count; ++n) {
        for (int i = 0; i < 81; ++i) {
            pixels += static_cast<char>(i / 9 == 4 && i % 9 > 4 ? 200 : 0);
        }
    }
    for (const char* part : {"train", "t10k"}) {
        scratch.write(std::string(part) + "-images-idx3-ubyte",
                      idx_bytes(0x803, {count, 9, 9}, pixels));
        scratch.write(std::string(part) + "-labels-idx1-ubyte",
                      idx_bytes(0x801, {count}, std::string(count, '\x03')));
    }
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("rotate: nothing and quarters of a turn move whole pixels") {
        const std::vector<std::uint8_t> picture = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        CHECK(turned(picture, {3, 3}, 0) == picture);
        CHECK(turned(picture, {3, 3}, 90) == std::vector<std::uint8_t>{3, 6, 9, 2, 5, 8, 1, 4, 7});
        CHECK(turned(picture, {3, 3}, -90) == std::vector<std::uint8_t>{7, 4, 1, 8, 5, 2, 9, 6, 3});
        CHECK(turned(picture, {3, 3}, 180) == std::vector<std::uint8_t>{9, 8, 7, 6, 5, 4, 3, 2, 1});
    }

    TEST_CASE("rotate: outside is black and values between pixels are weighed") {
        const std::vector<std::uint8_t> picture(16, 100);
        const auto result = turned(picture, {4, 4}, 45);
        CHECK(result[0] == 38);   // the corner looks 0.62 pixels outside
        CHECK(result[5] == 100);  // all four neighbours are inside
        CHECK(result[1] > result[0]);
    }

    TEST_CASE("rotated-fashion-mnist: the target is the angle that was turned by") {
        const Scratch scratch;
        write_fashion(scratch, 400);
        const data::Dataset set = data::load_dataset("rotated-fashion-mnist", scratch.path());
        CHECK(set.targets == std::vector<std::string>{"angle"});
        CHECK(set.classes.empty());
        REQUIRE(set.train.is_regression());
        const at::Tensor angles = set.train.labels;
        CHECK(angles.sizes() == at::IntArrayRef({400, 1}));
        CHECK(angles.min().item<float>() >= -60);
        CHECK(angles.max().item<float>() < 60);
        CHECK(angles.min().item<float>() < -55);
        CHECK(angles.max().item<float>() > 55);
        CHECK(std::abs(angles.mean().item<float>()) < 6);
        CHECK_FALSE(at::equal(angles, set.test.labels));
        // Counter-clockwise turns lift the bar that points to the right.
        const at::Tensor light = set.train.images.to(at::kFloat);
        const at::Tensor lifted =
            light.slice(2, 0, 4).sum({1, 2, 3}) > light.slice(2, 5, 9).sum({1, 2, 3});
        const at::Tensor clear = angles.select(1, 0).abs() > 5;
        CHECK(
            at::equal(lifted.masked_select(clear), (angles.select(1, 0) > 0).masked_select(clear)));
    }

    TEST_CASE("rotated-fashion-mnist: everybody has the same pictures") {
        const Scratch scratch;
        write_fashion(scratch, 20);
        const data::Dataset one = data::load_dataset("rotated-fashion-mnist", scratch.path());
        const data::Dataset two = data::load_dataset("rotated-fashion-mnist", scratch.path());
        CHECK(at::equal(one.train.images, two.train.images));
        CHECK(at::equal(one.train.labels, two.train.labels));
    }
}
