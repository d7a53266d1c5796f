// Filling the templates of report_page/.
#include "pipeline/page.hpp"

#include "pipeline/embedded.hpp"

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

}  // namespace

std::string fill_template(std::string_view page,
                          const std::map<std::string, std::string_view>& contents) {
    std::string filled;
    std::size_t done = 0;
    while (true) {
        const std::size_t begin = page.find('@', done);
        const std::size_t end = begin == std::string_view::npos ? begin : page.find('@', begin + 1);
        if (end == std::string_view::npos) {
            return filled.append(page.substr(done));
        }
        const auto content = contents.find(std::string(page.substr(begin + 1, end - begin - 1)));
        if (content == contents.end()) {
            filled.append(page.substr(done, end - done));  // the second @ may begin a mark
            done = end;
        } else {
            filled.append(page.substr(done, begin - done)).append(content->second);
            done = end + 1;
        }
    }
}

std::string make_page(std::string_view page,
                      const Json& data,
                      const std::map<std::string, std::string_view>& more) {
    const std::string json = script_json(data);
    std::map<std::string, std::string_view> contents = more;
    contents["data"] = json;
    contents["chart_js"] = chart_js();
    contents["style_css"] = style_css();
    contents["common_js"] = common_js();
    return fill_template(page, contents);
}

}  // namespace topress::pipeline
