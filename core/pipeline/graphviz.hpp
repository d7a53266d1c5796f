// Drawing a graph with Graphviz's `dot` program, if it is installed.
#pragma once

#include <optional>
#include <string>

namespace topress::pipeline {

/// The <svg> element for a graph in the dot language; none when `dot` is absent or fails.
[[nodiscard]] std::optional<std::string> draw_svg(const std::string& dot);

}  // namespace topress::pipeline
