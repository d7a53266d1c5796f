// The report: template + Chart.js + data; all drawing happens in the page.
#include "pipeline/report.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "pipeline/embedded.hpp"
#include "pipeline/graphviz.hpp"
#include "pipeline/page.hpp"

#include <optional>

namespace topress::pipeline {
namespace {

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
    Json data;
    data["ledger"] = ledger;
    data["plan"] = plan;
    const std::string drawing = order_drawing(plan);
    return make_page(run_page(), data, {{"order_drawing", drawing}});
}

std::string render_comparison(const std::vector<NamedLedger>& runs) {
    Json data;
    data["runs"] = Json::array();
    for (const NamedLedger& run : runs) {
        data["runs"].push_back({{"name", run.name}, {"ledger", run.ledger}});
    }
    return make_page(comparison_page(), data);
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
