// Tests data/svhn.cpp with MATLAB files written by matio.
#include "base/files.hpp"
#include "data/dataset.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

#include <array>
#include <matio.h>
#include <memory>
#include <numeric>
#include <vector>

using namespace topress;
using data::test::error_of;
using data::test::Scratch;

namespace {

struct MatPlan {
    std::size_t side = 32;
    std::size_t pictures = 3;
    std::vector<double> labels = {1, 10, 7};
    bool has_labels = true;
};

void add(mat_t* file,
         const char* name,
         matio_classes kind,
         matio_types type,
         std::vector<std::size_t> sizes,
         void* data) {
    matvar_t* variable =
        Mat_VarCreate(name, kind, type, static_cast<int>(sizes.size()), sizes.data(), data, 0);
    REQUIRE(Mat_VarWrite(file, variable, MAT_COMPRESSION_ZLIB) == 0);
    Mat_VarFree(variable);
}

// Byte `i` of X, rows fastest, is i mod 251.
void write_mat(const std::filesystem::path& path, MatPlan plan) {
    mat_t* file = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
    REQUIRE(file != nullptr);
    std::vector<std::uint8_t> pixels(plan.side * plan.side * 3 * plan.pictures);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        pixels[i] = static_cast<std::uint8_t>(i % 251);
    }
    add(file,
        "X",
        MAT_C_UINT8,
        MAT_T_UINT8,
        {plan.side, plan.side, 3, plan.pictures},
        pixels.data());
    if (plan.has_labels) {
        add(file, "y", MAT_C_DOUBLE, MAT_T_DOUBLE, {plan.labels.size(), 1}, plan.labels.data());
    }
    Mat_Close(file);
}

void write_both(const Scratch& scratch, const MatPlan& train) {
    write_mat(scratch / "train_32x32.mat", train);
    write_mat(scratch / "test_32x32.mat", {.pictures = 1, .labels = {2}});
}

data::Dataset load(const Scratch& scratch) {
    return data::load_dataset("svhn", scratch.path());
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("svhn: rows, columns and channels come out of MATLAB's order, 10 is the digit 0") {
        const Scratch scratch;
        write_both(scratch, {});
        const data::Dataset set = load(scratch);
        CHECK(set.classes.size() == 10);
        CHECK(set.targets.empty());
        CHECK(at::equal(set.train.labels, at::tensor({1, 0, 7}, at::kLong)));
        REQUIRE(set.train.images.sizes() == at::IntArrayRef({3, 3, 32, 32}));
        for (const auto& [n, c, y, x] : std::vector<std::array<int, 4>>{
                 {0, 0, 0, 1}, {0, 0, 1, 0}, {1, 2, 5, 30}, {2, 1, 31, 31}}) {
            const int index = y + 32 * (x + 32 * (c + 3 * n));
            CHECK(set.train.images[n][c][y][x].item<int>() == index % 251);
        }
        CHECK(set.test.size() == 1);
    }

    TEST_CASE("svhn: a file that is not there is named") {
        const Scratch scratch;
        const Error error = error_of([&] { static_cast<void>(load(scratch)); });
        CHECK(error.code() == "data/not-found");
        CHECK(error.where() == (scratch / "train_32x32.mat").string());
    }

    TEST_CASE("svhn: what does not fit is refused") {
        const Scratch scratch;
        std::string what;
        SUBCASE("pictures of another size") {
            write_both(scratch, {.side = 16});
            what = "'X' is 16 x 16 x 3 x 3";
        }
        SUBCASE("fewer labels than pictures") {
            write_both(scratch, {.labels = {1, 2}});
            what = "'y' is 2 x 1, but 'X' has 3 pictures";
        }
        SUBCASE("a label that is no digit") {
            write_both(scratch, {.labels = {1, 11, 2}});
            what = "of picture 2, expected 1 to 10";
        }
        SUBCASE("no labels") {
            write_both(scratch, {.has_labels = false});
            what = "holds no variable 'y'";
        }
        SUBCASE("no MATLAB file") {
            write_both(scratch, {});
            scratch.write("train_32x32.mat", "hello");
            what = "is no MATLAB file";
        }
        const Error error = error_of([&] { static_cast<void>(load(scratch)); });
        CHECK(error.code() == "data/inconsistent");
        CHECK(error.where() == (scratch / "train_32x32.mat").string());
        CAPTURE(error.what());
        CHECK(std::string(error.what()).find(what) != std::string::npos);
    }

    TEST_CASE("svhn: a file that ends early is refused") {
        const Scratch scratch;
        write_both(scratch, {});
        const std::string whole = read_file(scratch / "train_32x32.mat");
        scratch.write("train_32x32.mat", whole.substr(0, whole.size() / 3));
        const Error error = error_of([&] { static_cast<void>(load(scratch)); });
        CHECK((error.code() == "data/truncated" || error.code() == "data/inconsistent"));
        CHECK(error.where() == (scratch / "train_32x32.mat").string());
    }
}
