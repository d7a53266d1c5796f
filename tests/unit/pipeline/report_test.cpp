// The report page as text; that a browser shows it is tested end to end.
#include "pipeline/report.hpp"

#include "base/error.hpp"
#include "pipeline/embedded.hpp"
#include "pipeline/graphviz.hpp"
#include "pipeline/ledger.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace topress;
using pipeline::Json;

namespace {

/// The data that a page carries.
Json data_of(const std::string& page) {
    const std::string start = "<script type=\"application/json\" id=\"data\">";
    const std::size_t begin = page.find(start) + start.size();
    return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

}  // namespace

TEST_CASE("report: the template has each mark once") {
    const std::string_view page = pipeline::report_template();
    for (const char* mark : {"@data@", "@order_drawing@", "@chart_js@"}) {
        CAPTURE(mark);
        const std::size_t first = page.find(mark);
        REQUIRE(first != std::string_view::npos);
        CHECK(page.find(mark, first + 1) == std::string_view::npos);
    }
    CHECK(pipeline::chart_js().find("Chart.js v") != std::string_view::npos);
}

TEST_CASE("report: texts of the user cannot end the data or start a script") {
    pipeline::Ledger ledger;
    ledger.conditions.config_text = "</script><script>alert(1)</script><!-- @data@ @chart_js@";
    ledger.rows = {test::full_row()};
    const Json document = pipeline::to_json(ledger);
    const std::string page = pipeline::render_report(document, Json());
    CHECK(page.find("alert(1)</script>") == std::string::npos);
    CHECK(data_of(page).at("ledger") == document);
}

TEST_CASE("report: nothing is loaded from elsewhere") {
    const std::string_view page = pipeline::report_template();
    for (const char* reference : {"src=", "href=\"http", "@import", "url(", "fetch("}) {
        CAPTURE(reference);
        CHECK(page.find(reference) == std::string_view::npos);
    }
}

TEST_CASE("report: the order is drawn where Graphviz is installed") {
    const Json plan = {{"dot", "digraph { first -> second }"}};
    const std::string page = pipeline::render_report(pipeline::to_json(pipeline::Ledger()), plan);
    if (!pipeline::draw_svg("digraph { a }")) {
        MESSAGE("[SKIP] no Graphviz");
        return;
    }
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.find(">second</text>") != std::string::npos);
}

TEST_CASE("report: a broken drawing is left out") {
    CHECK_FALSE(pipeline::draw_svg("this is { no graph"));
}

TEST_CASE("report: a folder without a ledger is an error") {
    const test::TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(static_cast<void>(pipeline::rewrite_report(folder.path())),
                         "there is no ledger of a run",
                         Error);
    std::ofstream(folder.path() / "ledger.json") << "[1, 2";
    CHECK_THROWS_WITH_AS(static_cast<void>(pipeline::rewrite_report(folder.path())),
                         "this is not the ledger of a run",
                         Error);
}
