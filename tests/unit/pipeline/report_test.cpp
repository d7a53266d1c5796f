// The report page as text; that a browser shows it is tested end to end.
#include "pipeline/report.hpp"

#include "base/error.hpp"
#include "pipeline/embedded.hpp"
#include "pipeline/exploration_report.hpp"
#include "pipeline/graphviz.hpp"
#include "pipeline/layers.hpp"
#include "pipeline/ledger.hpp"
#include "pipeline/page.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <filesystem>
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

TEST_CASE("report: the templates have each mark once") {
    for (const std::string_view page :
         {pipeline::run_page(), pipeline::comparison_page(), pipeline::exploration_page()}) {
        for (const char* mark : {"@data@", "@chart_js@", "@style_css@", "@common_js@"}) {
            CAPTURE(mark);
            const std::size_t first = page.find(mark);
            REQUIRE(first != std::string_view::npos);
            CHECK(page.find(mark, first + 1) == std::string_view::npos);
        }
    }
    CHECK(pipeline::run_page().find("@order_drawing@") != std::string_view::npos);
    CHECK(pipeline::exploration_page().find("@exploration_js@") != std::string_view::npos);
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
    for (const std::string_view page : {pipeline::run_page(),
                                        pipeline::comparison_page(),
                                        pipeline::exploration_page(),
                                        pipeline::style_css(),
                                        pipeline::common_js()}) {
        for (const char* reference : {"src=", "href=\"http", "@import", "url(", "fetch("}) {
            CAPTURE(reference);
            CHECK(page.find(reference) == std::string_view::npos);
        }
    }
    const std::string_view drawings = pipeline::exploration_js();
    for (const char* reference : {"src=", "href", "import", "url(h", "url(/", "fetch("}) {
        CAPTURE(reference);
        CHECK(drawings.find(reference) == std::string_view::npos);
    }
}

TEST_CASE("report: what fills a template is not searched for marks") {
    CHECK(pipeline::fill_template("a@one@b@two@c", {{"one", "@two@"}, {"two", "2"}}) ==
          "a@two@b2c");
    CHECK(pipeline::fill_template("x@y.z @one@@one@ @", {{"one", "1"}}) == "x@y.z 11 @");
    CHECK(pipeline::fill_template("", {}).empty());
}

TEST_CASE("report: an exploration's page carries its document, which cannot end it") {
    const Json document = {{"kind", "exploration"}, {"config_text", "</script><!-- @common_js@"}};
    CHECK(data_of(pipeline::render_exploration(document)) == document);
}

TEST_CASE("report: explore.json makes a folder an exploration, and has to be one") {
    const test::TemporaryFolder folder;
    CHECK_FALSE(pipeline::holds_exploration(folder.path()));
    CHECK_THROWS_WITH_AS(static_cast<void>(pipeline::read_exploration(folder.path())),
                         "there is no document of an exploration",
                         Error);
    for (const char* text : {"[1, 2", "[]", "{}", "{\"kind\": \"run\"}"}) {
        std::ofstream(folder.path() / "explore.json") << text;
        CHECK(pipeline::holds_exploration(folder.path()));
        CHECK_THROWS_WITH_AS(static_cast<void>(pipeline::read_exploration(folder.path())),
                             "this is not the document of an exploration",
                             Error);
    }
    std::ofstream(folder.path() / "explore.json") << R"({"kind": "exploration"})";
    CHECK(pipeline::rewrite_exploration_report(folder.path()) == folder.path() / "report.html");
    CHECK(std::filesystem::file_size(folder.path() / "report.html") > 100000);
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

TEST_CASE("report: a comparison carries every ledger under its name") {
    pipeline::Ledger ledger;
    ledger.rows = {test::full_row()};
    const Json document = pipeline::to_json(ledger);
    const Json data = data_of(pipeline::render_comparison({{"one", document}, {"two", document}}));
    REQUIRE(data.at("runs").size() == 2);
    CHECK(data.at("runs").at(1).at("name") == "two");
    CHECK(data.at("runs").at(1).at("ledger") == document);
}

TEST_CASE("report: layers are compared by name, with bits and channels behind quantize nodes") {
    const network::Network before = test::small_network();
    network::Network after = before;
    const std::string conv = test::first_conv(before).name;
    test::attach_exit(after, "early", 0.5);
    test::quantize_input(after, conv, 1, 4);
    const Json layers = pipeline::compare_layers(before, after);
    const auto find = [&](const std::string& name) {
        for (const Json& layer : layers) {
            if (layer.at("name") == name) {
                return layer;
            }
        }
        return Json();
    };
    const Json first = find(conv);
    CHECK(first.at("before").at("weight_bits") == 32);
    CHECK(first.at("after").at("weight_bits") == 4);
    CHECK(first.at("after").at("channels") == 8);
    CHECK(first.at("before").at("macs") == first.at("after").at("macs"));
    CHECK(find("early.linear").at("before").is_null());
    CHECK(find("early.linear").at("after").at("channels") == 10);
    const Json back = pipeline::compare_layers(after, before);
    CHECK(back.back().at("name") == "early.linear");
    CHECK(back.back().at("after").is_null());
}
