// The table of checks and how findings become an outcome.
#include "conformance/check.hpp"

#include "base/files.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>

namespace topress::conformance {
namespace {

TEST_CASE("conformance: every check has an id of its own in kebab case and a sentence") {
    std::set<std::string_view> ids;
    CHECK(all_checks().size() >= 40);
    for (const Check& check : all_checks()) {
        CAPTURE(check.id);
        CHECK(ids.insert(check.id).second);
        CHECK(check.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos);
        CHECK(check.description.ends_with('.'));
        const bool has_function = check.run != nullptr;
        CHECK(has_function);
        CHECK(find_check(check.id) == &check);
    }
    CHECK(find_check("no-such-check") == nullptr);
}

TEST_CASE("conformance: the groups follow each other") {
    Group last = Group::File;
    for (const Check& check : all_checks()) {
        CHECK(check.group >= last);
        last = check.group;
    }
    CHECK(last == Group::Robustness);
}

TEST_CASE("conformance: docs/plugin-check.md has every check and no other") {
    const char* root = std::getenv("TOPRESS_TEST_SOURCE_DIR");
    REQUIRE(root != nullptr);
    const std::string page = read_file(std::string(root) + "/docs/plugin-check.md");
    std::size_t rows = 0;
    for (std::size_t at = page.find("\n| `"); at != std::string::npos;
         at = page.find("\n| `", at + 1)) {
        const std::size_t start = at + 4;
        const std::string id = page.substr(start, page.find('`', start) - start);
        if (!parse_status(id)) {
            CAPTURE(id);
            CHECK(find_check(id) != nullptr);
            ++rows;
        }
    }
    CHECK(rows == all_checks().size());
    for (const Check& check : all_checks()) {
        std::string row("| `");
        row.append(check.id).append("` | ").append(check.description).append(" |\n");
        CAPTURE(row);
        CHECK(page.find(row) != std::string::npos);
    }
}

TEST_CASE("findings: the worst one is the message, all others are details") {
    Findings findings;
    CHECK(findings.outcome("good").status == Status::Pass);
    CHECK(findings.outcome("good").message == "good");
    findings.note("by the way");
    CHECK(findings.outcome("good").status == Status::Pass);
    findings.warn("odd");
    CHECK(findings.outcome("good").status == Status::Warn);
    findings.fail("broken");
    const Outcome outcome = findings.outcome("good");
    CHECK(outcome.status == Status::Fail);
    CHECK(outcome.message == "broken");
    CHECK(outcome.details == std::vector<std::string>{"odd", "by the way"});
}

TEST_CASE("conformance: statuses have names that read back") {
    for (const Status status :
         {Status::Pass, Status::Warn, Status::Fail, Status::Skip, Status::Crashed}) {
        CHECK(parse_status(to_string(status)) == status);
    }
    CHECK_FALSE(parse_status("good"));
}

}  // namespace
}  // namespace topress::conformance
