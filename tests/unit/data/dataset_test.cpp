// Tests data/dataset.cpp: formats, places, normalisation.
#include "data/dataset.hpp"

#include "unit/data/scratch.hpp"

#include <ATen/ATen.h>

#include <cmath>

using namespace topress;
using data::test::error_of;
using data::test::Scratch;

TEST_SUITE("data") {
    TEST_CASE("dataset: an unknown format is refused with the nearest name") {
        const Error error =
            error_of([] { static_cast<void>(data::load_dataset("fashion-mnst", "anywhere")); });
        CHECK(error.code() == "data/unknown-format");
        CHECK(error.hint().find("'fashion-mnist'") != std::string::npos);
    }

    TEST_CASE("dataset: a folder that does not exist is named") {
        const Scratch scratch;
        const Error error = error_of(
            [&] { static_cast<void>(data::load_dataset("cifar10", scratch / "missing")); });
        CHECK(error.code() == "data/not-found");
        CHECK(error.where() == (scratch / "missing").string());
    }

    TEST_CASE("dataset: TOPRESS_DATA_DIR is looked in when no path is given") {
        const Scratch scratch;
        const auto plane = std::string(3072, '\x01');
        scratch.write("cifar100/train.bin", std::string(2, '\x03') + plane);
        scratch.write("cifar100/test.bin", std::string(2, '\x03') + plane);
        ::setenv("TOPRESS_DATA_DIR", scratch.path().c_str(), 1);
        CHECK(data::load_dataset("cifar100", {}).train.size() == 1);
        const Error error = error_of([] { static_cast<void>(data::load_dataset("cifar10", {})); });
        ::unsetenv("TOPRESS_DATA_DIR");
        CHECK(error.code() == "data/not-found");
        CHECK(error.where() == (scratch / "cifar10").string());
        CHECK(error.hint().find("TOPRESS_DATA_DIR") != std::string::npos);
    }

    TEST_CASE("normalisation: mean and deviation of every channel") {
        at::Tensor images = at::zeros({2, 2, 1, 2}, at::kByte);
        images.select(1, 0).copy_(at::tensor({0, 255, 51, 102}, at::kByte).view({2, 1, 2}));
        images.select(1, 1).fill_(255);
        const data::Normalisation measured =
            data::measure_normalisation({images, at::zeros({2}, at::kLong)});
        CHECK(measured.mean[0] == doctest::Approx(0.4));
        // (0.4^2 + 0.6^2 + 0.2^2 + 0) / 4 = 0.14
        CHECK(measured.deviation[0] == doctest::Approx(std::sqrt(0.14)));
        CHECK(measured.mean[1] == doctest::Approx(1.0));
        CHECK(measured.deviation[1] == 1.0);  // no contrast: left alone
    }
}
