// How a run stands, on a page for the terminal.
#pragma once

#include "pipeline/run_story.hpp"

#include <string>

namespace topress::cli {

/// Head, a line per stage, the bar of the stage at work; each line within `width` columns. `now`:
/// seconds since 1970, for times that go on.
[[nodiscard]] std::string render_story(const pipeline::RunStory& story, double now, int width);

}  // namespace topress::cli
