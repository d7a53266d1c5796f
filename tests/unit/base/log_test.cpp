// Facts about logging: levels, scope, file sink.
#include "base/log.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace log = topress::log;

TEST_CASE("log: level names are read and others refused with the nearest") {
    CHECK(log::parse_level("trace") == log::Level::Trace);
    CHECK(log::parse_level("off") == log::Level::Off);
    try {
        static_cast<void>(log::parse_level("inof"));
        FAIL("not thrown");
    } catch (const topress::Error& error) {
        CHECK(error.code() == "usage/unknown-log-level");
        CHECK(error.hint().find("'info'") != std::string::npos);
    }
}

TEST_CASE("log: the file has every message from debug on as one line with its scope") {
    const TemporaryFolder folder;
    log::set_console(log::Level::Off, false);
    log::set_file(folder / "log");
    log::write(log::Level::Trace, "shapes");
    log::debug("decision");
    log::write(log::Level::Info, "two\nlines {}", "channel");
    log::write(log::Level::Off, "never");
    log::flush();
    const std::string text = topress::read_file(folder / "log");
    CHECK(text.find("shapes") == std::string::npos);
    CHECK(text.find("never") == std::string::npos);
    CHECK(text.find(" debug: decision\n") != std::string::npos);
    CHECK(text.find(" info: [channel] two lines {}\n") != std::string::npos);
}

TEST_CASE("log: a new file replaces the old one") {
    const TemporaryFolder folder;
    log::set_console(log::Level::Off, false);
    log::set_file(folder / "first");
    log::info("one");
    log::set_file(folder / "second");
    log::info("two");
    log::flush();
    CHECK(topress::read_file(folder / "first").find("two") == std::string::npos);
    CHECK(topress::read_file(folder / "second").find("two") != std::string::npos);
}

TEST_CASE("log: a file that cannot be opened is an error") {
    const TemporaryFolder folder;
    topress::write_file_atomically(folder / "plain", "");
    try {
        log::set_file(folder / "plain/log");
        FAIL("not thrown");
    } catch (const topress::Error& error) {
        CHECK(error.code() == "file/cannot-write");
    }
}

TEST_CASE("log: messages are handed on with level and scope") {
    std::vector<std::string> lines;
    log::set_console(log::Level::Off, false);
    log::set_forward([&](log::Level level, std::string_view text) {
        lines.push_back(std::string(log::name_of(level)) + " " + std::string(text));
    });
    log::write(log::Level::Trace, "shapes");
    log::write(log::Level::Debug, "two\nlines", "channel");
    log::warn("careful");
    log::set_forward({});
    log::warn("not seen");
    CHECK(lines == std::vector<std::string>{"debug [channel] two lines", "warn careful"});
}
