// Tests data/batches.cpp: order, normalisation, crop and flip against ATen, repeatability.
#include "data/batches.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

using namespace topress;
using data::Augmentation;
using data::Batch;
using data::BatchReader;

namespace {

const data::Normalisation kNormalisation{{0.5, 0.25}, {0.5, 2.0}};

// Pictures (2, 5, 4) of varied bytes; the label is the index.
data::Samples varied(std::int64_t count) {
    const at::Tensor bytes =
        at::remainder(at::arange(count * 40, at::kLong) * 37 + 11, 251).to(at::kByte);
    return {bytes.view({count, 2, 5, 4}), at::arange(count, at::kLong)};
}

std::vector<Batch> read_all(BatchReader reader) {
    std::vector<Batch> batches;
    while (std::optional<Batch> batch = reader.next()) {
        batches.push_back(std::move(*batch));
    }
    return batches;
}

at::Tensor normalised(const at::Tensor& images) {
    const at::Tensor mean = at::tensor({0.5, 0.25}, at::kDouble).view({1, 2, 1, 1});
    const at::Tensor deviation = at::tensor({0.5, 2.0}, at::kDouble).view({1, 2, 1, 1});
    return ((images.to(at::kDouble) / 255.0 - mean) / deviation).to(at::kFloat);
}

bool same_bits(const std::vector<Batch>& a, const std::vector<Batch>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Batch& x, const Batch& y) {
        return at::equal(x.images, y.images) && at::equal(x.labels, y.labels) &&
               at::equal(x.indices, y.indices);
    });
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("batches: without a seed every sample once in file order and normalised") {
        const data::Samples samples = varied(10);
        BatchReader reader(samples, kNormalisation, 4);
        CHECK(reader.batches() == 3);
        const std::vector<Batch> batches = read_all(reader);
        REQUIRE(batches.size() == 3);
        CHECK(batches[2].labels.size(0) == 2);
        CHECK(batches[0].images.is_contiguous(at::MemoryFormat::ChannelsLast));
        const at::Tensor images =
            at::cat({batches[0].images, batches[1].images, batches[2].images});
        CHECK(at::equal(images, normalised(samples.images)));
        CHECK(at::equal(at::cat({batches[0].indices, batches[1].indices, batches[2].indices}),
                        at::arange(10, at::kLong)));
    }

    TEST_CASE("batches: with a seed every sample once in another order") {
        const std::vector<Batch> batches =
            read_all(BatchReader(varied(50), kNormalisation, 8, data::Pass{3}));
        std::vector<std::int64_t> seen;
        for (const Batch& batch : batches) {
            CHECK(at::equal(batch.labels, batch.indices));
            for (std::int64_t i = 0; i < batch.indices.size(0); ++i) {
                seen.push_back(batch.indices[i].item<std::int64_t>());
            }
        }
        CHECK_FALSE(std::is_sorted(seen.begin(), seen.end()));
        CHECK(std::set<std::int64_t>(seen.begin(), seen.end()).size() == 50);
        CHECK(seen.size() == 50);
    }

    TEST_CASE("batches: the last short one can be left out") {
        BatchReader reader(varied(10), kNormalisation, 4, data::Pass{1}, {}, true);
        CHECK(reader.batches() == 2);
        CHECK(read_all(reader).size() == 2);
        CHECK(BatchReader(varied(3), kNormalisation, 4, data::Pass{1}, {}, true).batches() == 0);
    }

    TEST_CASE("batches: the seed decides every bit") {
        const auto read = [](std::uint64_t seed) {
            return read_all(BatchReader(
                varied(40), kNormalisation, 7, data::Pass{seed}, Augmentation{2, true}));
        };
        CHECK(same_bits(read(5), read(5)));
        CHECK_FALSE(same_bits(read(5), read(6)));
    }

    TEST_CASE("batches: the same picture is changed alike whatever the batch size") {
        const Augmentation augmentation{2, true};
        const auto sorted = [&](std::int64_t batch_size) {
            std::vector<Batch> batches = read_all(
                BatchReader(varied(12), kNormalisation, batch_size, data::Pass{5}, augmentation));
            std::vector<at::Tensor> images;
            std::vector<at::Tensor> indices;
            for (const Batch& batch : batches) {
                images.push_back(batch.images);
                indices.push_back(batch.indices);
            }
            return at::cat(images).index_select(0, at::argsort(at::cat(indices)));
        };
        CHECK(at::equal(sorted(12), sorted(5)));
    }

    TEST_CASE("batches: every changed picture is one of the possible crops and flips") {
        const data::Samples samples = varied(60);
        const at::Tensor padded = at::constant_pad_nd(samples.images, {2, 2, 2, 2}, 0);
        int mirrored = 0;
        std::set<std::pair<int, int>> places;
        for (const Batch& batch : read_all(
                 BatchReader(samples, kNormalisation, 60, data::Pass{11}, Augmentation{2, true}))) {
            for (std::int64_t i = 0; i < batch.indices.size(0); ++i) {
                const at::Tensor source = padded[batch.indices[i].item<std::int64_t>()];
                bool found = false;
                for (int place = 0; place < 50 && !found; ++place) {
                    const int top = place / 10;
                    const int left = place / 2 % 5;
                    at::Tensor crop = source.slice(1, top, top + 5).slice(2, left, left + 4);
                    crop = place % 2 == 1 ? crop.flip(2) : crop;
                    found = at::equal(normalised(crop.unsqueeze(0))[0], batch.images[i]);
                    if (found) {
                        mirrored += place % 2;
                        places.emplace(top, left);
                    }
                }
                CHECK(found);
            }
        }
        CHECK(mirrored > 15);  // 30 expected of 60, standard deviation 3.9
        CHECK(mirrored < 45);
        CHECK(places.size() > 15);  // of 25
    }

    TEST_CASE("batches: variants take turns and come again whatever the seed of the pass") {
        const Augmentation augmentation{2, true, 3, 9};
        const auto pictures = [&](std::uint64_t seed, std::uint64_t number, bool shuffled) {
            const Batch batch = read_all(BatchReader(varied(40),
                                                     kNormalisation,
                                                     40,
                                                     data::Pass{seed, number, shuffled},
                                                     augmentation))
                                    .at(0);
            const at::Tensor order = at::argsort(batch.indices);
            return std::pair(batch.images.index_select(0, order),
                             batch.variants.index_select(0, order));
        };
        const auto [first, first_variants] = pictures(1, 0, true);
        const auto [second, second_variants] = pictures(1, 1, true);
        const auto [third, third_variants] = pictures(1, 2, true);
        const auto [again, again_variants] = pictures(8, 3, false);
        CHECK(at::equal(first, again));
        CHECK(at::equal(first_variants, again_variants));
        CHECK_FALSE(at::equal(first, second));
        // Three passes show three variants of every sample, and each pass shows all numbers.
        const at::Tensor all = at::stack({first_variants, second_variants, third_variants});
        CHECK(at::equal(std::get<0>(all.sort(0)),
                        at::arange(3, at::kLong).unsqueeze(1).expand({3, 40})));
        CHECK(std::get<0>(at::_unique(first_variants)).size(0) == 3);
        // Another seed of the variants makes other pictures.
        BatchReader other(
            varied(40), kNormalisation, 40, data::Pass{1, 0, false}, {2, true, 3, 10});
        CHECK_FALSE(at::equal(other.next()->images, first));
    }

    TEST_CASE(
        "batches: without variants a picture has no number, and one without changes has one") {
        CHECK(Augmentation{2, true}.pictures_of_one() == 0);
        CHECK(Augmentation{2, true, 5}.pictures_of_one() == 5);
        CHECK(Augmentation{0, false, 5}.pictures_of_one() == 1);
        BatchReader reader(varied(6), kNormalisation, 6, data::Pass{3}, Augmentation{2, true});
        CHECK(at::equal(reader.next()->variants, at::zeros({6}, at::kLong)));
    }

    TEST_CASE("batches: without a seed nothing is changed") {
        const data::Samples samples = varied(6);
        const std::vector<Batch> batches =
            read_all(BatchReader(samples, kNormalisation, 6, std::nullopt, Augmentation{2, true}));
        CHECK(at::equal(batches.at(0).images, normalised(samples.images)));
    }

    TEST_CASE("batches: targets of a regression travel with their pictures") {
        const at::Tensor images = at::arange(7, at::kByte).view({7, 1, 1, 1});
        const at::Tensor targets =
            at::stack({at::arange(7, at::kFloat), at::arange(7, at::kFloat) * -2}, 1);
        data::BatchReader reader({images, targets}, {{0.0}, {1.0}}, 3, data::Pass{5, 0});
        std::int64_t seen = 0;
        while (const auto batch = reader.next()) {
            CHECK(batch->labels.is_floating_point());
            CHECK(at::equal(batch->labels, targets.index_select(0, batch->indices)));
            CHECK(at::allclose(batch->images.flatten() * 255, batch->labels.select(1, 0)));
            seen += batch->labels.size(0);
        }
        CHECK(seen == 7);
    }

    TEST_CASE("batches: tensor operations make the same bits as loops") {
        const data::Samples samples = varied(23);
        for (const int padding : {0, 1, 9}) {
            for (const bool flip : {false, true}) {
                for (const int variants : {0, 3}) {
                    for (const bool training : {false, true}) {
                        CAPTURE(padding);
                        CAPTURE(flip);
                        CAPTURE(variants);
                        CAPTURE(training);
                        const Augmentation augmentation{padding, flip, variants, 5};
                        const auto pass =
                            training ? std::optional<data::Pass>({7, 2, true}) : std::nullopt;
                        const auto batches = [&](data::Composition composition) {
                            return read_all(BatchReader(samples,
                                                        kNormalisation,
                                                        5,
                                                        pass,
                                                        augmentation,
                                                        training,
                                                        composition));
                        };
                        const std::vector<Batch> loops = batches(data::Composition::ByPlace);
                        const std::vector<Batch> tensors = batches(data::Composition::Tensors);
                        CHECK(loops.size() == (training ? 4 : 5));
                        CHECK(same_bits(loops, tensors));
                        CHECK(tensors[0].images.is_contiguous(at::MemoryFormat::ChannelsLast));
                    }
                }
            }
        }
    }

    TEST_CASE("batches: made ahead, they come one by one and in order") {
        // Tensors make sixteen batches at once: the passes end within, and at the end of, a second
        // sixteen.
        for (const std::int64_t count : {17, 32}) {
            CAPTURE(count);
            const data::Samples samples = varied(count);
            const auto batches = [&](data::Composition composition) {
                return read_all(BatchReader(samples,
                                            kNormalisation,
                                            1,
                                            data::Pass{7, 2, true},
                                            Augmentation{1, true},
                                            true,
                                            composition));
            };
            const std::vector<Batch> loops = batches(data::Composition::ByPlace);
            CHECK(loops.size() == static_cast<std::size_t>(count));
            CHECK(same_bits(loops, batches(data::Composition::Tensors)));
        }
    }
}
