// Tests data/idx.cpp: what is read, and what is said about files that are not as they should be.
#include "data/dataset.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

using namespace topress;
using data::test::error_of;
using data::test::idx_bytes;
using data::test::Scratch;

namespace {

constexpr std::uint32_t kImages = 0x803;
constexpr std::uint32_t kLabels = 0x801;

// Three training and two test pictures of 2 x 3 pixels, plain.
void write_good(const Scratch& scratch) {
    std::string pixels;
    for (int i = 0; i < 18; ++i) {
        pixels.push_back(static_cast<char>(i * 14));
    }
    scratch.write("train-images-idx3-ubyte", idx_bytes(kImages, {3, 2, 3}, pixels));
    scratch.write("train-labels-idx1-ubyte", idx_bytes(kLabels, {3}, {'\x02', '\x09', '\x00'}));
    scratch.write("t10k-images-idx3-ubyte", idx_bytes(kImages, {2, 2, 3}, pixels.substr(0, 12)));
    scratch.write("t10k-labels-idx1-ubyte", idx_bytes(kLabels, {2}, {'\x01', '\x01'}));
}

Error load_error(const Scratch& scratch) {
    return error_of([&] { static_cast<void>(data::load_dataset("mnist", scratch.path())); });
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("idx: plain files are read byte for byte") {
        const Scratch scratch;
        write_good(scratch);
        const data::Dataset set = data::load_dataset("mnist", scratch.path());
        CHECK(set.name == "mnist");
        CHECK(set.classes.size() == 10);
        CHECK(set.train.images.sizes() == at::IntArrayRef({3, 1, 2, 3}));
        CHECK((set.train.images.scalar_type() == at::kByte));
        CHECK(set.train.images[1][0][0][2].item<int>() == 8 * 14);
        CHECK(set.train.labels[1].item<int>() == 9);
        CHECK((set.train.labels.scalar_type() == at::kLong));
        CHECK(set.test.size() == 2);
    }

    TEST_CASE("idx: gzip files give the same as plain ones") {
        const Scratch scratch;
        write_good(scratch);
        const data::Dataset plain = data::load_dataset("mnist", scratch.path());
        std::string pixels(18, '\0');
        for (int i = 0; i < 18; ++i) {
            pixels[static_cast<std::size_t>(i)] = static_cast<char>(i * 14);
        }
        std::filesystem::remove(scratch / "train-images-idx3-ubyte");
        scratch.write_gzip("train-images-idx3-ubyte.gz", idx_bytes(kImages, {3, 2, 3}, pixels));
        const data::Dataset packed = data::load_dataset("mnist", scratch.path());
        CHECK(at::equal(plain.train.images, packed.train.images));
    }

    TEST_CASE("idx: a missing file is named") {
        const Scratch scratch;
        write_good(scratch);
        std::filesystem::remove(scratch / "t10k-labels-idx1-ubyte");
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/not-found");
        CHECK(std::string(error.what()).find("t10k-labels-idx1-ubyte") != std::string::npos);
    }

    TEST_CASE("idx: a wrong magic number is refused at byte 0") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("train-images-idx3-ubyte",
                      idx_bytes(kLabels, {3, 2, 3}, std::string(18, 'x')));
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/bad-magic");
        CHECK(error.where() == (scratch / "train-images-idx3-ubyte").string() + ", byte 0");
        CHECK(std::string(error.what()).find("0x00000801") != std::string::npos);
    }

    TEST_CASE("idx: a file that ends early is refused where it ends") {
        const Scratch scratch;
        write_good(scratch);
        SUBCASE("in the pictures") {
            scratch.write("train-images-idx3-ubyte",
                          idx_bytes(kImages, {3, 2, 3}, std::string(17, 'x')));
            const Error error = load_error(scratch);
            CHECK(error.code() == "data/truncated");
            CHECK(error.where() == (scratch / "train-images-idx3-ubyte").string() + ", byte 33");
        }
        SUBCASE("in the header") {
            scratch.write("train-images-idx3-ubyte", idx_bytes(kImages, {3}, "ab"));
            CHECK(load_error(scratch).code() == "data/truncated");
        }
        SUBCASE("nothing in it") {
            scratch.write("train-images-idx3-ubyte", "");
            CHECK(load_error(scratch).code() == "data/truncated");
        }
    }

    TEST_CASE("idx: a cut gzip stream is truncated and a changed one is inconsistent") {
        const Scratch scratch;
        write_good(scratch);
        std::filesystem::remove(scratch / "train-images-idx3-ubyte");
        std::string pixels;
        for (unsigned i = 0; i < 4000; ++i) {
            pixels.push_back(static_cast<char>((i * 2654435761U) >> 24U));
        }
        scratch.write_gzip("whole.gz", idx_bytes(kImages, {40, 10, 10}, pixels));
        std::string packed;
        {
            std::FILE* file = std::fopen((scratch / "whole.gz").c_str(), "rb");
            REQUIRE(file != nullptr);
            packed.resize(std::filesystem::file_size(scratch / "whole.gz"));
            REQUIRE(std::fread(packed.data(), 1, packed.size(), file) == packed.size());
            std::fclose(file);
        }
        SUBCASE("cut in the middle") {
            scratch.write("train-images-idx3-ubyte.gz", packed.substr(0, packed.size() / 2));
            const Error error = load_error(scratch);
            CHECK(error.code() == "data/truncated");
            CHECK(error.where().find("of the uncompressed data") != std::string::npos);
        }
        SUBCASE("wrong check sum") {
            packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 0x55);
            scratch.write("train-images-idx3-ubyte.gz", packed);
            CHECK(load_error(scratch).code() == "data/inconsistent");
        }
    }

    TEST_CASE("idx: pictures and labels must be equally many") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("train-labels-idx1-ubyte", idx_bytes(kLabels, {2}, {'\x02', '\x09'}));
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/inconsistent");
        CHECK(std::string(error.what()).find("3 pictures") != std::string::npos);
    }

    TEST_CASE("idx: contents that do not fit the header are refused") {
        const Scratch scratch;
        write_good(scratch);
        SUBCASE("more data than announced") {
            scratch.write("train-images-idx3-ubyte",
                          idx_bytes(kImages, {3, 2, 3}, std::string(19, 'x')));
        }
        SUBCASE("an absurd count is not believed") {
            scratch.write("train-images-idx3-ubyte",
                          idx_bytes(kImages, {0xffffffffU, 60000, 60000}, "x"));
        }
        SUBCASE("no pixels") {
            scratch.write("train-images-idx3-ubyte", idx_bytes(kImages, {3, 0, 3}, ""));
        }
        SUBCASE("a label beyond the last class") {
            scratch.write("train-labels-idx1-ubyte",
                          idx_bytes(kLabels, {3}, {'\x02', '\x0a', '\x00'}));
        }
        SUBCASE("test pictures of another size") {
            scratch.write("t10k-images-idx3-ubyte",
                          idx_bytes(kImages, {2, 3, 3}, std::string(18, 'x')));
        }
        CHECK(load_error(scratch).code() == "data/inconsistent");
    }

    TEST_CASE("idx: the label out of range is named with its byte") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("train-labels-idx1-ubyte", idx_bytes(kLabels, {3}, {'\x02', '\x0a', '\x00'}));
        const Error error = load_error(scratch);
        CHECK(error.where() == (scratch / "train-labels-idx1-ubyte").string() + ", byte 9");
    }

    TEST_CASE("idx: the real Fashion-MNIST") {
        const char* folder = "/usr/share/datasets/fashion-mnist";
        if (!std::filesystem::is_directory(folder)) {
            MESSAGE("[SKIP] the package dataset-fashion-mnist is not installed");
            return;
        }
        const data::Dataset set = data::load_dataset("fashion-mnist", {});
        CHECK(set.train.images.sizes() == at::IntArrayRef({60000, 1, 28, 28}));
        CHECK(set.test.images.sizes() == at::IntArrayRef({10000, 1, 28, 28}));
        CHECK(set.classes.at(9) == "Ankle boot");
        CHECK(set.train.labels[0].item<int>() == 9);
        const at::Tensor counts = at::bincount(set.train.labels);
        CHECK(at::equal(counts, at::full({10}, 6000, at::kLong)));
        const data::Normalisation normalisation = data::measure_normalisation(set.train);
        CHECK(normalisation.mean.at(0) == doctest::Approx(0.2860406).epsilon(1e-6));
        CHECK(normalisation.deviation.at(0) == doctest::Approx(0.3530242).epsilon(1e-6));
    }
}
