// The line between child and parent, and the forms of a report.
#include "base/error.hpp"
#include "base/files.hpp"
#include "conformance/render.hpp"
#include "fixtures/plugins/fingerprint.h"
#include "plugin/host_fingerprint.hpp"
#include "unit/base/temporary_folder.hpp"

#include <doctest/doctest.h>

namespace topress::conformance {
namespace {

/// A fixture in C that says it was built as this program was.
std::string as_built_here(const std::string& name) {
    const topress_fingerprint of_fixtures = FIXTURE_FINGERPRINT;
    const auto bytes = [](const topress_fingerprint& fingerprint) {
        return std::string(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint);
    };
    std::string library =
        read_file(std::string(TOPRESS_TEST_BINARY_FOLDER "/fixtures/plugins/") + name + ".so");
    const std::size_t at = library.find(bytes(of_fixtures));
    REQUIRE(at != std::string::npos);
    return library.replace(at, sizeof of_fixtures, bytes(plugin::host_fingerprint()));
}

Report one_of_each() {
    Report report;
    report.file = "a & b.so";
    report.plugin = "org.example.a";
    report.version = "1.0.0";
    const Status statuses[] = {
        Status::Pass, Status::Warn, Status::Fail, Status::Skip, Status::Crashed};
    for (std::size_t i = 0; i < 5; ++i) {
        report.results.push_back(
            {&all_checks()[i], {statuses[i], "what <happened>", {"a detail"}}, 0.5, "again"});
    }
    return report;
}

TEST_CASE("report: an outcome crosses to the parent, whatever was printed before it") {
    const Outcome outcome{Status::Fail, "line\nbreak \"quoted\" \xff", {"one", "two"}};
    const auto found = find_outcome("noise without end" + to_line(outcome));
    REQUIRE(found);
    CHECK(found->status == Status::Fail);
    CHECK(found->message.starts_with("line\nbreak \"quoted\""));
    CHECK(found->details == outcome.details);
    CHECK_FALSE(find_outcome("noise"));
    CHECK_FALSE(find_outcome("\ntopress-check-outcome {\"status\": \"fi"));
    CHECK_FALSE(find_outcome("\ntopress-check-outcome {\"status\": \"fine\"}\n"));
}

TEST_CASE("report: how a check's process ended decides with its answer") {
    using End = ChildResult::End;
    RunOptions options;
    options.timeout = std::chrono::seconds(7);
    options.memory_mb = 600;
    const std::string answer = to_line({Status::Pass, "as it should be", {}});
    const auto judged = [&](End end, int code, int signal, const std::string& output) {
        ChildResult child;
        child.end = end;
        child.code = code;
        child.signal = signal;
        child.output = output;
        child.error_tail = "last words\n";
        return judge(child, options);
    };
    CHECK(judged(End::Exited, 0, 0, answer).status == Status::Pass);
    CHECK(judged(End::Exited, 0, 0, "").status == Status::Crashed);
    CHECK(judged(End::Exited, 3, 0, answer).status == Status::Crashed);
    const Outcome crashed = judged(End::Signalled, 0, 11, answer);
    CHECK(crashed.status == Status::Crashed);
    CHECK(crashed.message.find("SIGSEGV") != std::string::npos);
    CHECK(crashed.details == std::vector<std::string>{"last words"});
    const Outcome late = judged(End::TimedOut, 0, 15, "");
    CHECK(late.status == Status::Fail);
    CHECK(late.message.find("within 7 s") != std::string::npos);
    const Outcome large = judged(End::MemoryExceeded, 0, 9, answer);
    CHECK(large.status == Status::Fail);
    CHECK(large.message.find("600 MiB") != std::string::npos);
    CHECK_THROWS_AS(judged(End::Cancelled, 0, 15, answer), Error);
}

TEST_CASE("run_checks: a plugin that cannot be opened is told once") {
    const TemporaryFolder folder;
    RunOptions options;
    options.file = (folder / "crashes.so").string();
    write_file_atomically(options.file, as_built_here("crashes_when_opened"));
    options.only = {"opens", "starts", "opening-starts-no-thread", "metadata-parses", "any-label"};
    const Report report = run_checks(options);
    for (const Result& result : report.results) {
        CAPTURE(result.check->id);
        CAPTURE(result.outcome.message);
        CHECK(result.outcome.status == (result.check->id == "opens"             ? Status::Crashed
                                        : result.check->id == "metadata-parses" ? Status::Pass
                                                                                : Status::Skip));
    }
    options.only = {"starts"};  // asked for alone it is tried
    CHECK(run_checks(options).results.at(0).outcome.status == Status::Crashed);
}

TEST_CASE("report: failed and crashed checks are bad, warnings and skipped ones are not") {
    Report report = one_of_each();
    CHECK_FALSE(report.is_good());
    for (const Status status : {Status::Pass, Status::Warn, Status::Skip}) {
        for (Result& result : report.results) {
            result.outcome.status = status;
        }
        CHECK(report.is_good());
    }
}

TEST_CASE("report: the text has every check, and the command for each problem") {
    const std::string text = to_text(one_of_each(), false);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(text.find(all_checks()[i].id) != std::string::npos);
    }
    CHECK(text.find("again:    again") != std::string::npos);
    CHECK(text.find("1 passed, 1 with a warning, 1 failed, 1 crashed, 1 skipped") !=
          std::string::npos);
}

TEST_CASE("report: JUnit has failures, errors and skipped cases, escaped") {
    const std::string xml = to_junit(one_of_each());
    CHECK(xml.find("<testsuite name=\"file\" tests=\"5\" failures=\"1\" errors=\"1\" "
                   "skipped=\"1\">") != std::string::npos);
    CHECK(xml.find("<failure message=\"what &lt;happened&gt;\">") != std::string::npos);
    CHECK(xml.find("a &amp; b.so") != std::string::npos);
    CHECK(xml.find("a & b") == std::string::npos);
}

TEST_CASE("report: JSON counts every status") {
    pipeline::Json json;
    add_report(json, one_of_each());
    CHECK(json["summary"].dump() == R"({"pass":1,"warn":1,"fail":1,"skip":1,"crashed":1})");
    CHECK(json["checks"].size() == 5);
    CHECK(json["checks"][2]["status"] == "fail");
    CHECK(json["checks"][2]["reproduce"] == "again");
}

}  // namespace
}  // namespace topress::conformance
