// Tests base/profile.cpp: nesting, sums, self times, the trace.
#include "base/profile.hpp"

#include "base/files.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
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

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
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
            const profile::Span outer("with \"quotes\"");
            std::thread([] { const profile::Span span("elsewhere"); }).join();
        }
        profile::stop();
        const auto entries = profile::summary();
        CHECK(entries.size() == 2);
        const auto path = std::filesystem::temp_directory_path() / "topress-profile-test.json";
        profile::write_chrome_trace(path);
        const std::string text = read_file(path);
        std::filesystem::remove(path);
        CHECK(count(text, "\"ph\":\"X\"") == 2);
        CHECK(count(text, "with \\\"quotes\\\"") == 1);
        CHECK(count(text, "\"tid\":1") == 1);
        CHECK(count(text, "\"tid\":2") == 1);
    }
}
