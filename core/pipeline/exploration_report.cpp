// The report of an exploration: template + Chart.js + explore.json; all drawing happens in the
// page.
#include "pipeline/exploration_report.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "pipeline/embedded.hpp"
#include "pipeline/page.hpp"

namespace topress::pipeline {
namespace {

constexpr const char* kDocument = "explore.json";

}  // namespace

std::string render_exploration(const Json& document) {
    return make_page(exploration_page(), document, {{"exploration_js", exploration_js()}});
}

bool holds_exploration(const std::filesystem::path& directory) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(directory / kDocument, ignored);
}

Json read_exploration(const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / kDocument;
    const bool exists = holds_exploration(directory);
    Json document = exists ? Json::parse(read_file(file), nullptr, false) : Json();
    const auto kind = document.is_object() ? document.find("kind") : document.end();
    if (!document.is_object() || kind == document.end() || *kind != "exploration") {
        throw Error("report/no-exploration",
                    exists ? "this is not the document of an exploration"
                           : "there is no document of an exploration",
                    file.string(),
                    "give the output directory of `topress explore`");
    }
    return document;
}

std::filesystem::path rewrite_exploration_report(const std::filesystem::path& directory) {
    const std::filesystem::path report = directory / "report.html";
    write_file_atomically(report, render_exploration(read_exploration(directory)));
    return report;
}

}  // namespace topress::pipeline
