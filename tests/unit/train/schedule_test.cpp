// Tests train/schedule.cpp: values at the ends and in the middle, by formula.
#include "train/schedule.hpp"

#include "base/error.hpp"

#include <doctest/doctest.h>

using topress::Error;
using topress::train::parse_schedule;
using topress::train::Schedule;
using topress::train::ScheduleKind;

TEST_SUITE("train") {
    TEST_CASE("schedule: constant stays at the peak") {
        const Schedule schedule(ScheduleKind::Constant, 0.3, 10, 0);
        CHECK(schedule.at(0) == 0.3);
        CHECK(schedule.at(9) == 0.3);
    }

    TEST_CASE("schedule: cosine goes from the peak through its half to almost 0") {
        const Schedule schedule(ScheduleKind::Cosine, 0.4, 1000, 0);
        CHECK(schedule.at(0) == doctest::Approx(0.4));
        CHECK(schedule.at(500) == doctest::Approx(0.2));
        CHECK(schedule.at(250) == doctest::Approx(0.4 * 0.853553390593));
        CHECK(schedule.at(999) < 1e-5);
        CHECK(schedule.at(999) > 0);
    }

    TEST_CASE("schedule: one-cycle rises for a quarter and falls to almost 0") {
        const Schedule schedule(ScheduleKind::OneCycle, 0.8, 400, 0);
        CHECK(schedule.at(0) == doctest::Approx(0.008));
        CHECK(schedule.at(49) == doctest::Approx(0.4));
        CHECK(schedule.at(99) == doctest::Approx(0.8));
        CHECK(schedule.at(100) == doctest::Approx(0.8));
        CHECK(schedule.at(250) == doctest::Approx(0.4));
        CHECK(schedule.at(399) == doctest::Approx(0.8 / 300));
    }

    TEST_CASE("schedule: a warm-up rises linearly before any decay") {
        for (const ScheduleKind kind :
             {ScheduleKind::Constant, ScheduleKind::Cosine, ScheduleKind::OneCycle}) {
            const Schedule schedule(kind, 1.0, 100, 20);
            CHECK(schedule.at(0) == doctest::Approx(0.05));
            CHECK(schedule.at(9) == doctest::Approx(0.5));
            CHECK(schedule.at(20) == doctest::Approx(1.0));
        }
    }

    TEST_CASE("schedule: very short fits still take a step at the peak") {
        for (const ScheduleKind kind :
             {ScheduleKind::Constant, ScheduleKind::Cosine, ScheduleKind::OneCycle}) {
            CHECK(Schedule(kind, 0.5, 1, 0).at(0) == doctest::Approx(0.5));
            CHECK(Schedule(kind, 0.5, 1, 50).at(0) == doctest::Approx(0.5));
            CHECK(Schedule(kind, 0.5, 3, 50).at(2) == doctest::Approx(0.5));
        }
    }

    TEST_CASE("schedule: an unknown name is refused with the nearest") {
        CHECK(parse_schedule("one-cycle") == ScheduleKind::OneCycle);
        CHECK(parse_schedule("cosine") == ScheduleKind::Cosine);
        CHECK(parse_schedule("constant") == ScheduleKind::Constant);
        try {
            static_cast<void>(parse_schedule("one-cycl"));
            FAIL("accepted");
        } catch (const Error& error) {
            CHECK(error.code() == "train/unknown-schedule");
            CHECK(error.hint() == "did you mean 'one-cycle'?");
        }
    }
}
