// Tests base/profile.cpp: nesting, sums, self times, single spans, and what is left out of them.
#include "base/profile.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

using namespace topress;

namespace {

void rest(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

const profile::Entry* find(const std::vector<profile::Entry>& entries, const std::string& name) {
    for (const profile::Entry& entry : entries) {
        if (entry.name == name) {
            return &entry;
        }
    }
    return nullptr;
}

}  // namespace

TEST_SUITE("base") {
    TEST_CASE("profile: an inner span counts for itself and not for the outer one") {
        profile::start();
        for (int i = 0; i < 2; ++i) {
            const profile::Span outer("outer");
            rest(5);
            const profile::Span inner("inner", "operator");
            rest(10);
        }
        profile::stop();
        const auto entries = profile::summary();
        REQUIRE(entries.size() == 2);
        const auto* outer = find(entries, "outer");
        const auto* inner = find(entries, "inner");
        REQUIRE((outer != nullptr && inner != nullptr));
        CHECK(outer->count == 2);
        CHECK(inner->category == "operator");
        CHECK(inner->self_s >= 0.019);
        CHECK(outer->self_s >= 0.009);
        CHECK(outer->total_s == doctest::Approx(outer->self_s + inner->total_s));
        CHECK(entries.front().self_s >= entries.back().self_s);
    }

    TEST_CASE("profile: nothing is recorded while it is off, and a start forgets what was") {
        profile::start();
        {
            const profile::Span span("before");
        }
        profile::stop();
        {
            const profile::Span span("off");
        }
        CHECK(find(profile::summary(), "off") == nullptr);
        const profile::Span across("across");  // begun while it was off
        profile::start();
        {
            const profile::Span span("after");
        }
        profile::stop();
        const auto entries = profile::summary();
        REQUIRE(entries.size() == 1);
        CHECK(entries[0].name == "after");
    }

    TEST_CASE("profile: a span that began in an earlier recording is no part of this one") {
        profile::start();
        {
            const profile::Span stale("stale");
            profile::start();
        }
        profile::stop();
        CHECK(profile::summary().empty());
    }

    TEST_CASE("profile: threads nest on their own, and the trace has an event a span") {
        profile::start();
        {
            const profile::Span outer("here");
            std::thread([] { const profile::Span span("elsewhere"); }).join();
        }
        profile::stop();
        const auto entries = profile::summary();
        CHECK(entries.size() == 2);
        const profile::Trace trace = profile::trace();
        REQUIRE(trace.events.size() == 2);
        CHECK(trace.left_out == 0);
        const profile::Event& inner = trace.events[0];  // it ended first
        const profile::Event& outer = trace.events[1];
        CHECK(inner.name == "elsewhere");
        CHECK(outer.name == "here");
        CHECK(inner.thread != outer.thread);
        CHECK(inner.start_s >= outer.start_s);
        CHECK(inner.start_s + inner.duration_s <= outer.start_s + outer.duration_s);
    }

    TEST_CASE("profile: operators fill the trace, phases and stages still come into it") {
        profile::start();
        for (std::size_t i = 0; i < profile::kMostEvents + 5; ++i) {
            const profile::Span span("small", "operator");
        }
        {
            const profile::Span span("step");
        }
        {
            const profile::Span span("last", "stage");
        }
        profile::stop();
        const profile::Trace trace = profile::trace();
        CHECK(trace.left_out == 5);
        CHECK(trace.events.size() == profile::kMostEvents + 2);
        CHECK(trace.events.back().name == "last");
        CHECK(find(profile::summary(), "small")->count == profile::kMostEvents + 5);
    }
}
