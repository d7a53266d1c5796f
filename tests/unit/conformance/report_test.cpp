// The line between child and parent, and the forms of a report.
#include "conformance/render.hpp"

#include <doctest/doctest.h>

namespace topress::conformance {
namespace {

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
