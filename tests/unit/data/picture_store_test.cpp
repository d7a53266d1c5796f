// Tests data/picture_store.cpp: pictures behind files equal those in memory, are made once, and
// nothing is lost when a file cannot be had.
#include "data/dataset.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace topress;
using data::PictureStore;
using data::test::error_of;
using data::test::png_bytes;
using data::test::Scratch;

namespace {

namespace fs = std::filesystem;

// Two classes of three training and one test picture, each in a grey of its own.
void write_pictures(const Scratch& scratch) {
    for (const std::string part : {"train", "test"}) {
        for (int i = 0; i < (part == "train" ? 3 : 1); ++i) {
            for (const std::string name : {"cat", "dog"}) {
                const auto grey = static_cast<std::uint8_t>(40 * i + (name == "cat" ? 5 : 9));
                scratch.write("data/" + part + "/" + name + "/" + std::to_string(i) + ".png",
                              png_bytes(6, 4, 1, {grey}));
            }
        }
    }
}

data::Dataset load(const Scratch& scratch, const PictureStore& store) {
    return data::load_dataset("image-folder", scratch / "data", store);
}

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const auto& item : fs::directory_iterator(folder, ignored)) {
        files.push_back(item.path());
    }
    return files;
}

bool same(const data::Dataset& a, const data::Dataset& b) {
    return at::equal(a.train.images, b.train.images) && at::equal(a.test.images, b.test.images) &&
           at::equal(a.train.labels, b.train.labels);
}

/// Other bytes, the same size and time of change: whoever decodes again notices.
void damage_unnoticed(const fs::path& file) {
    struct stat before{};
    REQUIRE(::stat(file.c_str(), &before) == 0);
    fs::permissions(file, fs::perms::owner_all);
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << "ruined";
    const timespec times[2] = {before.st_atim, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("picture store: pictures are those in memory, and are decoded once") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache" / "pictures", 0};
        const data::Dataset plain = load(scratch, {});
        CHECK(same(plain, load(scratch, store)));
        CHECK(files_in(store.folder).size() == 2);           // train and test
        damage_unnoticed(scratch / "data/train/dog/2.png");  // the first one tells the size
        CHECK(error_of([&] { static_cast<void>(load(scratch, {})); }).code() == "data/bad-picture");
        CHECK(same(plain, load(scratch, store)));
    }

    TEST_CASE("picture store: small ones stay in memory") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 6 * 3 * 4 * 6};  // as large as train
        CHECK(same(load(scratch, {}), load(scratch, store)));
        CHECK(files_in(store.folder).size() == 1);
    }

    TEST_CASE("picture store: another picture, or another time, is another data set") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 0};
        static_cast<void>(load(scratch, store));
        scratch.write("data/train/dog/1.png", png_bytes(6, 4, 1, {201}));
        const data::Dataset again = load(scratch, store);
        CHECK(same(again, load(scratch, {})));
        CHECK(again.train.images[4][0][0][0].item<int>() == 201);
        CHECK(files_in(store.folder).size() == 3);
    }

    TEST_CASE("picture store: a write to the pictures does not reach the file") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 0};
        const data::Dataset plain = load(scratch, {});
        for (int i = 0; i < 2; ++i) {  // the one that makes the file, and one that finds it
            data::Dataset set = load(scratch, store);
            CHECK(same(plain, set));
            set.train.images.fill_(7);
        }
        CHECK(same(plain, load(scratch, store)));
    }

    TEST_CASE("picture store: a file that is not whole, or not the user's own, is made anew") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 0};
        const data::Dataset plain = load(scratch, {});
        static_cast<void>(load(scratch, store));
        for (const fs::path& file : files_in(store.folder)) {
            fs::resize_file(file, 10);
        }
        CHECK(same(plain, load(scratch, store)));
        for (const fs::path& file : files_in(store.folder)) {
            damage_unnoticed(file);
            fs::permissions(file, fs::perms::all);
        }
        CHECK(same(plain, load(scratch, store)));
    }

    TEST_CASE("picture store: a damaged picture leaves no file behind") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 0};
        scratch.write("data/train/dog/1.png", "no picture");
        CHECK(error_of([&] { static_cast<void>(load(scratch, store)); }).code() ==
              "data/bad-picture");
        CHECK(files_in(store.folder).empty());
    }

    TEST_CASE("picture store: without a place for files pictures stay in memory") {
        const Scratch scratch;
        write_pictures(scratch);
        scratch.write("cache", "a file where a folder should be");
        CHECK(same(load(scratch, {}), load(scratch, {scratch / "cache" / "pictures", 0})));
    }

    TEST_CASE("picture store: files unused for a month go when another one is made") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 0};
        static_cast<void>(load(scratch, store));
        const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(31 * 24);
        fs::path of_train;
        for (const fs::path& file : files_in(store.folder)) {
            of_train = fs::file_size(file) == 6 * 3 * 4 * 6 ? file : of_train;
            fs::last_write_time(file, long_ago);
        }
        static_cast<void>(load(scratch, store));  // used again
        CHECK(fs::last_write_time(of_train) > long_ago);
        fs::last_write_time(of_train, long_ago);
        scratch.write("data/train/dog/1.png", png_bytes(6, 4, 1, {202}));
        static_cast<void>(load(scratch, store));
        CHECK(!fs::exists(of_train));
        CHECK(files_in(store.folder).size() == 2);
    }

    TEST_CASE("picture store: choices and splits are the same behind files, which leave no name") {
        const Scratch scratch;
        write_pictures(scratch);
        const PictureStore store{scratch / "cache", 0};
        const data::Dataset set = load(scratch, {});
        const data::Split plain = data::split_validation(set.train, 0.3, 1);
        const data::Split kept = data::split_validation(set.train, 0.3, 1, store);
        CHECK(at::equal(plain.train.images, kept.train.images));
        CHECK(at::equal(plain.validation.images, kept.validation.images));
        CHECK(at::equal(data::subset(set.train, 4, 1).images,
                        data::subset(set.train, 4, 1, store).images));
        CHECK(data::split_validation(set.train, 0, 1, store).validation.size() == 0);
        CHECK(files_in(store.folder).empty());
    }
}
