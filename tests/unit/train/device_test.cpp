// Tests train/device.cpp: names, and a clear answer where there is no CUDA.
#include "train/device.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

using topress::Error;
using topress::train::open_device;

TEST_SUITE("train") {
    TEST_CASE("device: cpu is always there") {
        CHECK(open_device("cpu").is_cpu());
    }

    TEST_CASE("device: a name that is none is refused") {
        for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "", "CPU"}) {
            CAPTURE(name);
            try {
                static_cast<void>(open_device(name));
                FAIL("accepted");
            } catch (const Error& error) {
                CHECK(error.code() == "device/unknown");
            }
        }
    }

    TEST_CASE("device: cuda works or says why not") {
        try {
            const c10::Device device = open_device("cuda");
            CHECK(device.index() == 0);
            CHECK((at::ones({2}, at::TensorOptions(device)) + 1).sum().item<float>() == 4);
        } catch (const Error& error) {
            CHECK(error.code() == "device/unavailable");
            CHECK(std::string(error.what()).size() > 40);
            CHECK_FALSE(error.hint().empty());
        }
    }

    TEST_CASE("device: a CUDA device beyond the last is unavailable") {
        try {
            static_cast<void>(open_device("cuda:99"));
            FAIL("accepted");
        } catch (const Error& error) {
            CHECK(error.code() == "device/unavailable");
        }
    }

    TEST_CASE("device: threads are set and 0 means the physical cores") {
        topress::train::set_threads(2);
        CHECK(at::get_num_threads() == 2);
        topress::train::set_threads(0);
        CHECK(at::get_num_threads() == topress::train::count_physical_cores());
        CHECK(topress::train::count_physical_cores() >= 1);
        topress::train::set_threads(1);
    }
}
