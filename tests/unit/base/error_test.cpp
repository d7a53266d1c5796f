// Facts about exit statuses and assertions.
#include "base/error.hpp"

#include <doctest/doctest.h>

#include <string>

using topress::Error;
using topress::exit_status_of;
using topress::ExitStatus;

TEST_CASE("error: the area of a code decides the exit status") {
    CHECK(exit_status_of("config/unknown-key") == ExitStatus::Configuration);
    CHECK(exit_status_of("usage/unknown-flag") == ExitStatus::Usage);
    CHECK(exit_status_of("plugin/refused") == ExitStatus::Plugin);
    CHECK(exit_status_of("order/cycle") == ExitStatus::NoValidOrder);
    CHECK(exit_status_of("device/missing") == ExitStatus::Device);
    CHECK(exit_status_of("internal/assertion") == ExitStatus::Internal);
    CHECK(exit_status_of("run/interrupted") == ExitStatus::Interrupted);
}

TEST_CASE("error: any other code is a failed run") {
    CHECK(exit_status_of("run/stage-failed") == ExitStatus::RunFailed);
    CHECK(exit_status_of("file/cannot-read") == ExitStatus::RunFailed);
    CHECK(exit_status_of("configuration/x") == ExitStatus::RunFailed);
    CHECK(exit_status_of("") == ExitStatus::RunFailed);
}

TEST_CASE("error: an assertion that fails names expression and place") {
    const int two = 2;
    TOPRESS_ASSERT(two == 2);
    try {
        TOPRESS_ASSERT(two == 3);
        FAIL("not thrown");
    } catch (const Error& error) {
        CHECK(error.code() == "internal/assertion");
        CHECK(std::string(error.what()).find("two == 3") != std::string::npos);
        CHECK(error.where().find("error_test.cpp:") != std::string::npos);
    }
}
