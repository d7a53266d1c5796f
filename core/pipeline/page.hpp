// Self-contained pages: a template of report_page/ filled with data, style and scripts.
#pragma once

#include "pipeline/documents.hpp"

#include <map>
#include <string>
#include <string_view>

namespace topress::pipeline {

/// Puts contents where `page` says @name@; what was filled in is not searched again, and other
/// text between two @ stays as it is.
[[nodiscard]] std::string fill_template(std::string_view page,
                                        const std::map<std::string, std::string_view>& contents);

/// A page of `page` with `data` in it as JSON (@data@, which cannot end its script element),
/// Chart.js, the shared style and script, and `more` contents. Loads nothing from the network.
[[nodiscard]] std::string make_page(std::string_view page,
                                    const Json& data,
                                    const std::map<std::string, std::string_view>& more = {});

}  // namespace topress::pipeline
