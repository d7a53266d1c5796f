// Tests data/target_folder.cpp and data/target_table.cpp: pictures whose labels are numbers.
#include "data/dataset.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

#include <cmath>

using namespace topress;
using data::test::error_of;
using data::test::png_bytes;
using data::test::Scratch;

namespace {

void write_pictures(const Scratch& scratch) {
    scratch.write("train/a.png", png_bytes(6, 4, 3, {10, 0, 0}));
    scratch.write("train/b.png", png_bytes(6, 4, 3, {20, 0, 0}));
    scratch.write("train/deep/c.png", png_bytes(6, 4, 1, {30}));
    scratch.write("test/a.png", png_bytes(6, 4, 3, {40, 0, 0}));
    scratch.write("test/b, too.png", png_bytes(6, 4, 3, {50, 0, 0}));
}

void write_good(const Scratch& scratch) {
    write_pictures(scratch);
    scratch.write("train/targets.csv",
                  "file,width,height\r\nb.png, 2.5 ,-1\r\n\r\ndeep/c.png,+3,1e-1\r\na.png,4,0\r\n");
    scratch.write("test/targets.csv", "file,width,height\na.png,1,2\n\"b, too.png\",3,\"4\"");
}

Error load_error(const Scratch& scratch) {
    return error_of([&] { static_cast<void>(data::load_dataset("image-folder", scratch.path())); });
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("targets: rows are taken in their order, with all their numbers") {
        const Scratch scratch;
        write_good(scratch);
        const data::Dataset set = data::load_dataset("image-folder", scratch.path());
        CHECK(set.classes.empty());
        CHECK(set.targets == std::vector<std::string>{"width", "height"});
        CHECK(set.train.is_regression());
        CHECK(set.train.images.sizes() == at::IntArrayRef({3, 3, 4, 6}));
        CHECK(at::equal(set.train.labels,
                        at::tensor({2.5, -1.0, 3.0, 0.1, 4.0, 0.0}, at::kFloat).view({3, 2})));
        CHECK(
            set.train.images.select(1, 0).amax({1, 2}).equal(at::tensor({20, 30, 10}, at::kByte)));
        CHECK(at::equal(set.test.labels, at::tensor({1., 2., 3., 4.}, at::kFloat).view({2, 2})));
    }

    TEST_CASE("targets: a mistake in the table is told with its line") {
        const Scratch scratch;
        write_good(scratch);
        std::string table;
        std::string what;
        int line = 2;
        SUBCASE("a picture that is not there") {
            table = "file,x\na.png,1\nz.png,2\n";
            what = "there is no picture 'z.png'";
            line = 3;
        }
        SUBCASE("a picture outside of the folder") {
            table = "file,x\n../test/a.png,1\n";
            what = "there is no picture '../test/a.png'";
        }
        SUBCASE("a picture without a row") {
            table = "file,x\na.png,1\n";
            what = "the picture 'b.png' has no row";
        }
        SUBCASE("a cell that is no number") {
            table = "file,x\na.png,left\nb.png,2\n";
            what = "'left' in column 'x' is no number";
        }
        SUBCASE("a cell that ends in something else") {
            table = "file,x\na.png,1.5cm\nb.png,2\n";
            what = "'1.5cm' in column 'x' is no number";
        }
        SUBCASE("an empty cell") {
            table = "file,x\na.png,\nb.png,2\n";
            what = "'' in column 'x' is no number";
        }
        SUBCASE("not a number") {
            table = "file,x\na.png,nan\nb.png,2\n";
            what = "'nan' in column 'x' is not finite";
        }
        SUBCASE("infinite") {
            table = "file,x\na.png,2\nb.png,-inf\n";
            what = "'-inf' in column 'x' is not finite";
            line = 3;
        }
        SUBCASE("a row that is too short") {
            table = "file,x,y\na.png,1\nb.png,2,3\n";
            what = "a row of 2 cells below a head of 3";
        }
        SUBCASE("a row that is too long") {
            table = "file,x\na.png,1\n\nb.png,2,3\n";
            what = "a row of 3 cells below a head of 2";
            line = 4;
        }
        SUBCASE("a picture with two rows") {
            table = "file,x\na.png,1\nb.png,2\na.png,3\n";
            what = "'a.png' has a row already, in line 2";
            line = 4;
        }
        SUBCASE("no target") {
            table = "file\na.png\nb.png\n";
            what = "the head names 1 column";
            line = 1;
        }
        SUBCASE("a column without a name") {
            table = "file,x,\na.png,1,2\nb.png,2,3\n";
            what = "column 3 has no name";
            line = 1;
        }
        SUBCASE("two columns of one name") {
            table = "file,x,x\na.png,1,2\nb.png,2,3\n";
            what = "two columns are named 'x'";
            line = 1;
        }
        SUBCASE("no rows") {
            table = "file,x\n";
            what = "the table has no rows";
            line = 1;
        }
        SUBCASE("nothing at all") {
            table = "";
            what = "the table has no rows";
            line = 1;
        }
        SUBCASE("a quote that does not end") {
            table = "file,x\n\"a.png,1\nb.png,2\n";
            what = "a cell begins with a quote that does not end";
        }
        scratch.write("train/targets.csv", table);
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/bad-table");
        CHECK(std::string(error.what()).find(what) != std::string::npos);
        CAPTURE(error.what());
        CHECK(error.where() ==
              (scratch / "train/targets.csv").string() + ":" + std::to_string(line));
        CHECK_FALSE(error.hint().empty());
    }

    TEST_CASE("targets: a column that never changes is refused") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("train/targets.csv",
                      "file,width,height\nb.png,1,7\ndeep/c.png,2,7\na.png,3,7\n");
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/bad-table");
        CHECK(std::string(error.what()) == "column 'height' has the same number in every row");
    }

    TEST_CASE("targets: train and test have the same columns") {
        const Scratch scratch;
        write_good(scratch);
        SUBCASE("others") {
            scratch.write("test/targets.csv", "file,height,width\na.png,1,2\n\"b, too.png\",3,4\n");
            CHECK(load_error(scratch).code() == "data/bad-table");
        }
        SUBCASE("no table") {
            std::filesystem::remove(scratch / "test/targets.csv");
            CHECK(load_error(scratch).code() == "data/not-found");
        }
    }

    TEST_CASE("targets: a picture that cannot be decoded is named") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("test/a.png", "hello");
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/bad-picture");
        CHECK(error.where() == (scratch / "test/a.png").string());
    }

    TEST_CASE("targets: mean and deviation, and targets in that unit") {
        data::Samples samples{
            at::zeros({4, 1, 2, 2}, at::kByte),
            at::tensor({1., 5., 3., 5., 5., 5., 7., 5.}, at::kFloat).view({4, 2})};
        const data::TargetScale scale = data::measure_normalisation(samples).targets;
        CHECK(scale.mean == std::vector<double>{4, 5});
        CHECK(scale.deviation[0] == doctest::Approx(std::sqrt(5.0)));
        CHECK(scale.deviation[1] == 1.0);  // no variation: left alone
        const data::Samples scaled = data::standardise_targets(samples, scale);
        CHECK((scaled.labels.scalar_type() == at::kFloat));
        CHECK(scaled.labels[0][0].item<float>() == doctest::Approx(-3 / std::sqrt(5.0)));
        CHECK(scaled.labels.select(1, 1).abs().max().item<float>() == 0);
    }
}
