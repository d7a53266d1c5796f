// Tests data/cifar.cpp: records, labels, the two folder layouts and damaged files.
#include "data/dataset.hpp"
#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

using namespace topress;
using data::test::error_of;
using data::test::Scratch;

namespace {

// One record: labels, then planes filled with r, g, b.
std::string record(const std::string& labels, char r, char g, char b) {
    return labels + std::string(1024, r) + std::string(1024, g) + std::string(1024, b);
}

void write_cifar10(const Scratch& scratch, const std::string& folder = "") {
    for (char i = 1; i <= 5; ++i) {
        scratch.write(folder + "data_batch_" + std::to_string(i) + ".bin",
                      record({i}, i, 10, 20) + record({static_cast<char>(i + 4)}, 1, 2, 3));
    }
    scratch.write(folder + "test_batch.bin", record({'\x07'}, 4, 5, 6));
}

}  // namespace

TEST_SUITE("data") {
    TEST_CASE("cifar10: all batches in order with planes as stored") {
        const Scratch scratch;
        write_cifar10(scratch);
        const data::Dataset set = data::load_dataset("cifar10", scratch.path());
        CHECK(set.train.images.sizes() == at::IntArrayRef({10, 3, 32, 32}));
        CHECK(set.test.size() == 1);
        CHECK(set.train.labels[4].item<int>() == 3);
        CHECK(set.train.labels[5].item<int>() == 7);
        CHECK(set.train.images[4][0][31][31].item<int>() == 3);
        CHECK(set.train.images[4][1][0][0].item<int>() == 10);
        CHECK(set.train.images[4][2][0][0].item<int>() == 20);
        CHECK(set.classes.at(8) == "ship");
    }

    TEST_CASE("cifar10: the parent of the unpacked folder will do") {
        const Scratch scratch;
        write_cifar10(scratch, "cifar-10-batches-bin/");
        CHECK(data::load_dataset("cifar10", scratch.path()).train.size() == 10);
    }

    TEST_CASE("cifar10: a record that is not whole is refused where it begins") {
        const Scratch scratch;
        write_cifar10(scratch);
        scratch.write("data_batch_3.bin", record({'\x01'}, 1, 2, 3) + "rest");
        const Error error =
            error_of([&] { static_cast<void>(data::load_dataset("cifar10", scratch.path())); });
        CHECK(error.code() == "data/truncated");
        CHECK(error.where() == (scratch / "data_batch_3.bin").string() + ", byte 3073");
    }

    TEST_CASE("cifar10: a label beyond the last class is refused with its byte") {
        const Scratch scratch;
        write_cifar10(scratch);
        scratch.write("test_batch.bin", record({'\x01'}, 1, 2, 3) + record({'\x0a'}, 1, 2, 3));
        const Error error =
            error_of([&] { static_cast<void>(data::load_dataset("cifar10", scratch.path())); });
        CHECK(error.code() == "data/inconsistent");
        CHECK(error.where() == (scratch / "test_batch.bin").string() + ", byte 3073");
    }

    TEST_CASE("cifar10: a missing batch is named") {
        const Scratch scratch;
        write_cifar10(scratch);
        std::filesystem::remove(scratch / "data_batch_5.bin");
        const Error error =
            error_of([&] { static_cast<void>(data::load_dataset("cifar10", scratch.path())); });
        CHECK(error.code() == "data/not-found");
        CHECK(std::string(error.what()).find("data_batch_5.bin") != std::string::npos);
    }

    TEST_CASE("cifar100: the fine label counts and names are optional") {
        const Scratch scratch;
        scratch.write("train.bin", record({'\x05', '\x63'}, 9, 8, 7));
        scratch.write("test.bin", record({'\x13', '\x00'}, 1, 2, 3));
        const data::Dataset set = data::load_dataset("cifar100", scratch.path());
        CHECK(set.train.labels[0].item<int>() == 99);
        CHECK(set.train.images[0][0][0][0].item<int>() == 9);
        CHECK(set.classes.size() == 100);
        CHECK(set.classes.back() == "99");
        std::string names;
        for (int i = 0; i < 100; ++i) {
            names += "name" + std::to_string(i) + "\r\n";
        }
        scratch.write("fine_label_names.txt", names);
        CHECK(data::load_dataset("cifar100", scratch.path()).classes.back() == "name99");
    }
}
