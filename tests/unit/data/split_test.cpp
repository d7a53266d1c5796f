// Tests data/split.cpp and data/random.hpp: balance, repeatability, nothing lost or doubled.
#include "base/error.hpp"
#include "data/dataset.hpp"
#include "data/random.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using namespace topress;

namespace {

// `count` one-pixel samples, the pixel (two bytes) is the index; classes in turn, class 0 twice as
// often.
data::Samples numbered(std::int64_t count) {
    at::Tensor index = at::arange(count, at::kLong);
    at::Tensor images = at::stack({at::floor_divide(index, 256), at::remainder(index, 256)}, 1)
                            .to(at::kByte)
                            .view({count, 1, 1, 2});
    at::Tensor labels = at::clamp_min(at::remainder(index, 5) - 1, 0);
    return {images, labels};
}

std::vector<std::int64_t> indices_of(const data::Samples& samples) {
    std::vector<std::int64_t> found;
    for (std::int64_t i = 0; i < samples.size(); ++i) {
        const at::Tensor pixel = samples.images[i].flatten();
        found.push_back(pixel[0].item<std::int64_t>() * 256 + pixel[1].item<std::int64_t>());
    }
    return found;
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("random: SplitMix64 gives its published sequence") {
        data::Random random(1234567);
        CHECK(random.next() == 6457827717110365317ULL);
        CHECK(random.next() == 3203168211198807973ULL);
        CHECK(random.next() == 9817491932198370423ULL);
    }

    TEST_CASE("random: below stays below and reaches every value evenly") {
        data::Random random(5);
        std::vector<int> counts(7, 0);
        for (int i = 0; i < 7000; ++i) {
            ++counts.at(random.below(7));
        }
        // 1000 expected, standard deviation 29: five of them
        CHECK(*std::min_element(counts.begin(), counts.end()) > 855);
        CHECK(*std::max_element(counts.begin(), counts.end()) < 1145);
    }

    TEST_CASE("split: the parts are balanced, disjoint and complete") {
        const data::Samples samples = numbered(1000);
        const data::Split split = data::split_validation(samples, 0.1, 7);
        CHECK(split.validation.size() == 100);
        CHECK(split.train.size() == 900);
        const at::Tensor counts = at::bincount(split.validation.labels);
        CHECK(at::equal(counts, at::tensor({40, 20, 20, 20}, at::kLong)));
        std::vector<std::int64_t> all = indices_of(split.train);
        CHECK(std::is_sorted(all.begin(), all.end()));
        const std::vector<std::int64_t> rest = indices_of(split.validation);
        all.insert(all.end(), rest.begin(), rest.end());
        std::sort(all.begin(), all.end());
        std::vector<std::int64_t> expected(1000);
        std::iota(expected.begin(), expected.end(), 0);
        CHECK(all == expected);
    }

    TEST_CASE("split: labels stay with their pictures") {
        const data::Split split = data::split_validation(numbered(300), 0.3, 1);
        const std::vector<std::int64_t> indices = indices_of(split.validation);
        for (std::size_t i = 0; i < indices.size(); ++i) {
            CHECK(split.validation.labels[static_cast<std::int64_t>(i)].item<std::int64_t>() ==
                  std::max<std::int64_t>(indices[i] % 5 - 1, 0));
        }
    }

    TEST_CASE("split: the seed decides") {
        const data::Samples samples = numbered(500);
        const auto chosen = [&](std::uint64_t seed) {
            return indices_of(data::split_validation(samples, 0.2, seed).validation);
        };
        CHECK(chosen(3) == chosen(3));
        CHECK(chosen(3) != chosen(4));
    }

    TEST_CASE("split: a share that was asked for is never empty and never everything") {
        CHECK(data::split_validation(numbered(10), 0.001, 1).validation.size() == 1);
        CHECK(data::split_validation(numbered(10), 0.999, 1).train.size() == 1);
        CHECK(data::split_validation(numbered(10), 0.0, 1).validation.size() == 0);
    }

    TEST_CASE("split: a share outside of 0 to 1 is refused") {
        for (const double share : {-0.1, 1.0, 2.0}) {
            CAPTURE(share);
            CHECK_THROWS_AS(static_cast<void>(data::split_validation(numbered(10), share, 1)),
                            Error);
        }
    }

    TEST_CASE("subset: the asked number in balance and smaller ones inside of larger ones") {
        const data::Samples samples = numbered(1000);
        const data::Samples small = data::subset(samples, 50, 9);
        const data::Samples large = data::subset(samples, 200, 9);
        CHECK(small.size() == 50);
        CHECK(at::equal(at::bincount(large.labels), at::tensor({80, 40, 40, 40}, at::kLong)));
        const std::vector<std::int64_t> inner = indices_of(small);
        const std::vector<std::int64_t> outer = indices_of(large);
        CHECK(std::includes(outer.begin(), outer.end(), inner.begin(), inner.end()));
    }

    TEST_CASE("subset: 0 or too many is all of them") {
        const data::Samples samples = numbered(20);
        CHECK(data::subset(samples, 0, 1).size() == 20);
        CHECK(data::subset(samples, 21, 1).size() == 20);
    }

    TEST_CASE("split: a rare class stays in every part") {
        at::Tensor labels = at::zeros({400}, at::kLong);
        labels.slice(0, 0, 20).fill_(1);  // 5 %
        labels.slice(0, 20, 60).fill_(2);
        const data::Samples samples{numbered(400).images, labels};
        const data::Split split = data::split_validation(samples, 0.1, 7);
        CHECK(split.validation.labels.bincount().equal(at::tensor({34, 2, 4}, at::kLong)));
        CHECK(data::subset(samples, 40, 3)
                  .labels.bincount()
                  .equal(at::tensor({34, 2, 4}, at::kLong)));
    }

    TEST_CASE("split: numbers are spread like classes, by tenths of the first") {
        const at::Tensor order = at::arange(1000, at::kFloat);
        const at::Tensor targets =
            at::stack({order.flip(0).square(), at::zeros({1000})}, 1).contiguous();
        const data::Samples samples{numbered(1000).images, targets};
        const data::Split split = data::split_validation(samples, 0.1, 7);
        REQUIRE(split.validation.labels.sizes() == at::IntArrayRef({100, 2}));
        const at::Tensor tenth =
            split.validation.labels.select(1, 0).sqrt().div(100).floor().to(at::kLong);
        CHECK(tenth.bincount().equal(at::full({10}, 10, at::kLong)));
        CHECK(indices_of(split.validation) ==
              indices_of(data::split_validation(samples, 0.1, 7).validation));
        CHECK(indices_of(split.validation) !=
              indices_of(data::split_validation(samples, 0.1, 8).validation));
    }
}
