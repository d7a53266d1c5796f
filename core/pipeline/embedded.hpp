// Files compiled into the program, so that a report needs nothing beside it.
#pragma once

#include <string_view>

namespace topress::pipeline {

/// The templates in report_page/.
[[nodiscard]] std::string_view run_page();
[[nodiscard]] std::string_view comparison_page();
[[nodiscard]] std::string_view exploration_page();

/// The drawings of the exploration's page.
[[nodiscard]] std::string_view exploration_js();

/// What they share.
[[nodiscard]] std::string_view style_css();
[[nodiscard]] std::string_view common_js();

/// Chart.js, minified, with its licence line.
[[nodiscard]] std::string_view chart_js();

}  // namespace topress::pipeline
