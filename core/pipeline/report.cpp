// The report: template + Chart.js + data; all drawing happens in the page.
#include "pipeline/report.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "pipeline/embedded.hpp"
#include "pipeline/graphviz.hpp"

#include <optional>

namespace topress::pipeline {
namespace {

/// JSON that may stand inside a <script> element: no "</script" and no "<!--" can occur in it.
std::string script_json(const Json& json) {
    const std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
    std::string safe;
    safe.reserve(text.size());
    for (const char letter : text) {
        if (letter == '<') {
            safe += "\\u003c";
        } else {
            safe += letter;
        }
    }
    return safe;
}

/// Puts `content` where the template says @name@.
void fill(std::string& page, const std::string& name, std::string_view content) {
    const std::string mark = "@" + name + "@";
    const std::size_t place = page.find(mark);
    TOPRESS_ASSERT(place != std::string::npos);
    page.replace(place, mark.size(), content);
}

std::string order_drawing(const Json& plan) {
    if (!plan.is_object() || !plan.contains("dot")) {
        return {};
    }
    return draw_svg(plan.at("dot").get<std::string>()).value_or("");
}

/// From the last place to the first: what was filled in is not searched again.
void fill_data(std::string& page, const Json& data) {
    fill(page, "common_js", common_js());
    fill(page, "data", script_json(data));
}

void fill_looks(std::string& page) {
    fill(page, "chart_js", chart_js());
    fill(page, "style_css", style_css());
}

Json read_document(const std::filesystem::path& file) {
    return Json::parse(read_file(file), nullptr, false);
}

}  // namespace

std::string render_report(const Json& ledger, const Json& plan) {
    Json data;
    data["ledger"] = ledger;
    data["plan"] = plan;
    std::string page(run_page());
    fill_data(page, data);
    fill(page, "order_drawing", order_drawing(plan));
    fill_looks(page);
    return page;
}

std::string render_comparison(const std::vector<NamedLedger>& runs) {
    Json data;
    data["runs"] = Json::array();
    for (const NamedLedger& run : runs) {
        data["runs"].push_back({{"name", run.name}, {"ledger", run.ledger}});
    }
    std::string page(comparison_page());
    fill_data(page, data);
    fill_looks(page);
    return page;
}

Json read_ledger(const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / "ledger.json";
    std::error_code ignored;
    const bool exists = std::filesystem::is_regular_file(file, ignored);
    Json ledger = exists ? read_document(file) : Json();
    if (!ledger.is_object() || !ledger.contains("rows")) {
        throw Error("report/no-ledger",
                    exists ? "this is not the ledger of a run" : "there is no ledger of a run",
                    file.string(),
                    "give the output directory of `topress run`");
    }
    return ledger;
}

std::filesystem::path rewrite_report(const std::filesystem::path& directory) {
    const Json ledger = read_ledger(directory);
    std::error_code ignored;
    const std::filesystem::path plan_file = directory / "plan.json";
    const Json plan =
        std::filesystem::is_regular_file(plan_file, ignored) ? read_document(plan_file) : Json();
    const std::filesystem::path report = directory / "report.html";
    write_file_atomically(report, render_report(ledger, plan.is_object() ? plan : Json()));
    return report;
}

}  // namespace topress::pipeline
