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

Json read_document(const std::filesystem::path& file) {
    return Json::parse(read_file(file), nullptr, false);
}

}  // namespace

std::string render_report(const Json& ledger, const Json& plan) {
    std::string page(report_template());
    // From the last place to the first: what was filled in is not searched again.
    Json data;
    data["ledger"] = ledger;
    data["plan"] = plan;
    fill(page, "data", script_json(data));
    fill(page, "order_drawing", order_drawing(plan));
    fill(page, "chart_js", chart_js());
    return page;
}

std::filesystem::path rewrite_report(const std::filesystem::path& directory) {
    const std::filesystem::path ledger_file = directory / "ledger.json";
    std::error_code ignored;
    const bool exists = std::filesystem::is_regular_file(ledger_file, ignored);
    const Json ledger = exists ? read_document(ledger_file) : Json();
    if (!ledger.is_object() || !ledger.contains("rows")) {
        throw Error("report/no-ledger",
                    exists ? "this is not the ledger of a run" : "there is no ledger of a run",
                    ledger_file.string(),
                    "give the output directory of `topress run`");
    }
    const std::filesystem::path plan_file = directory / "plan.json";
    const Json plan =
        std::filesystem::is_regular_file(plan_file, ignored) ? read_document(plan_file) : Json();
    const std::filesystem::path report = directory / "report.html";
    write_file_atomically(report, render_report(ledger, plan.is_object() ? plan : Json()));
    return report;
}

}  // namespace topress::pipeline
