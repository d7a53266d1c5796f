// Tests data/image_folder.cpp and data/picture.cpp with pictures written by libjpeg and libpng.
#include "data/dataset.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

#include <cstdlib>

using namespace topress;
using data::test::error_of;
using data::test::jpeg_bytes;
using data::test::png_bytes;
using data::test::Scratch;

namespace {

// Two classes; three training pictures, two test pictures of 6 x 4 pixels.
void write_good(const Scratch& scratch) {
    scratch.write("train/dog/b.jpg", jpeg_bytes(6, 4, 3, {200, 100, 50}));
    scratch.write("train/cat/a.png", png_bytes(6, 4, 3, {1, 2, 3}));
    scratch.write("train/dog/A.PNG", png_bytes(6, 4, 1, {77}));
    scratch.write("test/cat/x.jpeg", jpeg_bytes(6, 4, 1, {90}));
    scratch.write("test/dog/y.png", png_bytes(6, 4, 4, {10, 20, 30, 255}));
}

data::Dataset load(const Scratch& scratch) {
    return data::load_dataset("image-folder", scratch.path());
}

Error load_error(const Scratch& scratch) {
    return error_of([&] { static_cast<void>(load(scratch)); });
}

std::vector<int> pixel(const at::Tensor& image) {
    return {image[0][3][5].item<int>(), image[1][3][5].item<int>(), image[2][3][5].item<int>()};
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("image-folder: classes and files are sorted and all pictures are RGB") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("train/notes.txt", "not a class");
        scratch.write("train/dog/.hidden.png", "not a picture");
        scratch.write("train/dog/readme.md", "not a picture");
        scratch.write("train/.cache/z.png", "not a class");
        const data::Dataset set = load(scratch);
        CHECK(set.classes == std::vector<std::string>{"cat", "dog"});
        CHECK(set.train.images.sizes() == at::IntArrayRef({3, 3, 4, 6}));
        CHECK(at::equal(set.train.labels, at::tensor({0, 1, 1}, at::kLong)));
        CHECK(at::equal(set.test.labels, at::tensor({0, 1}, at::kLong)));
        CHECK(pixel(set.train.images[0]) == std::vector<int>{1, 2, 3});
        CHECK(pixel(set.train.images[1]) == std::vector<int>{77, 77, 77});
        CHECK(pixel(set.test.images[0]) == std::vector<int>{90, 90, 90});
        CHECK(pixel(set.test.images[1]) == std::vector<int>{10, 20, 30});
    }

    TEST_CASE("image-folder: a JPEG is decoded to its colour") {
        const Scratch scratch;
        write_good(scratch);
        const std::vector<int> colour = pixel(load(scratch).train.images[2]);
        CHECK(std::abs(colour[0] - 200) <= 2);
        CHECK(std::abs(colour[1] - 100) <= 2);
        CHECK(std::abs(colour[2] - 50) <= 2);
    }

    TEST_CASE("image-folder: links to pictures and folders are followed") {
        const Scratch scratch;
        write_good(scratch);
        std::filesystem::create_symlink(scratch / "train/cat/a.png", scratch / "train/dog/c.png");
        std::filesystem::create_directory_symlink(scratch / "train/cat", scratch / "train/eel");
        std::filesystem::create_directory_symlink(scratch / "test/cat", scratch / "test/eel");
        const data::Dataset set = load(scratch);
        CHECK(set.classes.size() == 3);
        CHECK(at::equal(set.train.labels, at::tensor({0, 1, 1, 1, 2}, at::kLong)));
    }

    TEST_CASE("image-folder: a damaged picture is named") {
        const Scratch scratch;
        write_good(scratch);
        std::string name = "train/dog/bad.jpg";
        SUBCASE("neither JPEG nor PNG") {
            scratch.write(name, "hello");
        }
        SUBCASE("empty") {
            scratch.write(name, "");
        }
        SUBCASE("only the beginning of a JPEG") {
            scratch.write(name, jpeg_bytes(6, 4, 3, {1, 2, 3}).substr(0, 40));
        }
        SUBCASE("a JPEG that ends early") {
            const std::string whole = jpeg_bytes(6, 4, 3, {1, 2, 3});
            scratch.write(name, whole.substr(0, whole.size() - 12));
        }
        SUBCASE("a PNG that ends early") {
            name = "train/dog/bad.png";
            const std::string whole = png_bytes(6, 4, 3, {1, 2, 3});
            scratch.write(name, whole.substr(0, whole.size() - 24));
        }
        SUBCASE("a link to nothing") {
            std::filesystem::create_symlink(scratch / "nowhere.jpg", scratch / name);
        }
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/bad-picture");
        CHECK(error.where() == (scratch / name).string());
    }

    TEST_CASE("image-folder: pictures of two sizes are refused with both sizes") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("test/dog/z.png", png_bytes(4, 6, 3, {1, 2, 3}));
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/inconsistent");
        CHECK(std::string(error.what()).find("4 x 6") != std::string::npos);
        CHECK(std::string(error.what()).find("6 x 4") != std::string::npos);
    }

    TEST_CASE("image-folder: train and test must have the same classes") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("test/emu/z.png", png_bytes(6, 4, 3, {1, 2, 3}));
        const Error error = load_error(scratch);
        CHECK(error.code() == "data/inconsistent");
        CHECK(std::string(error.what()) == "class 'emu' is only in 'test'");
    }

    TEST_CASE("image-folder: a class without pictures is refused") {
        const Scratch scratch;
        write_good(scratch);
        scratch.write("train/emu/notes.txt", "");
        scratch.write("test/emu/z.png", png_bytes(6, 4, 3, {1, 2, 3}));
        CHECK(load_error(scratch).code() == "data/inconsistent");
    }

    TEST_CASE("image-folder: without train the folder is not found") {
        const Scratch scratch;
        scratch.write("test/emu/z.png", png_bytes(6, 4, 3, {1, 2, 3}));
        CHECK(load_error(scratch).code() == "data/not-found");
    }
}
