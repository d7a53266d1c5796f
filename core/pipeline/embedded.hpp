// Files compiled into the program, so that a report needs nothing beside it.
#pragma once

#include <string_view>

namespace topress::pipeline {

/// report_template.html.
[[nodiscard]] std::string_view report_template();

/// Chart.js, minified, with its licence line.
[[nodiscard]] std::string_view chart_js();

}  // namespace topress::pipeline
