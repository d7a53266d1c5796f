// Lines of the page.
#include "cli/watch_view.hpp"

#include "cli/ledger_table.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <sstream>

namespace topress::cli {
namespace {

using pipeline::RunStory;
using pipeline::StoryStage;

std::size_t finished_stages(const RunStory& story) {
    return static_cast<std::size_t>(std::ranges::count_if(
        story.stages, [](const StoryStage& stage) { return stage.row.has_value(); }));
}

std::string explained_state(const RunStory& story) {
    return story.state == "gone" ? "ended without a word (its process is gone); --resume goes on"
                                 : story.state;
}

std::string head_of(const RunStory& story, double now) {
    const bool goes_on = story.state == "running";
    return story.config + ": " + explained_state(story) + ", " +
           std::to_string(finished_stages(story)) + " of " + std::to_string(story.stages.size()) +
           " stages, " + duration_text((goes_on ? now : story.last_event) - story.started) + "\n";
}

std::string figures_of(const pipeline::Row& row) {
    return score_of(row) + "  " + with_unit(row.bitops) + " BitOps (" + fixed(row.bitops_cr, 2) +
           "x)  " + fixed(row.latency_ms, 2) + " ms/batch" +
           (row.resumed      ? "  from a checkpoint"
            : row.from_cache ? "  from the cache"
                             : "");
}

std::string line_of(const RunStory& story, std::size_t index, double now, std::size_t name_width) {
    const StoryStage& stage = story.stages[index];
    std::string name = stage.label;
    name.resize(name_width, ' ');
    if (stage.row) {
        return "  done  " + name + "  " + figures_of(*stage.row);
    }
    if (story.at_work == index) {
        const bool goes_on = story.state == "running";
        return (goes_on ? "  now   " : "  ended ") + name + "  for " +
               duration_text((goes_on ? now : story.last_event) - stage.started);
    }
    return "        " + name;
}

// More lines than a terminal has would scroll away: then only what happens now is shown.
constexpr std::size_t kMostLines = 30;
constexpr std::size_t kLatestShown = 12;

/// Indices of the stages to show, in order.
std::vector<std::size_t> shown_stages(const RunStory& story) {
    std::vector<std::size_t> shown;
    const std::size_t finished = finished_stages(story);
    std::size_t done = 0;
    for (std::size_t index = 0; index < story.stages.size(); ++index) {
        const bool is_done = story.stages[index].row.has_value();
        done += is_done ? 1U : 0U;
        if (story.stages.size() <= kMostLines || story.at_work == index ||
            (is_done && done + kLatestShown > finished)) {
            shown.push_back(index);
        }
    }
    return shown;
}

std::string cut(const std::string& text, int width) {
    std::istringstream lines(text);
    std::string line;
    std::string result;
    while (std::getline(lines, line)) {
        result += line.substr(0, static_cast<std::size_t>(std::max(1, width - 1))) + "\n";
    }
    return result;
}

}  // namespace

std::string render_story(const RunStory& story, double now, int width) {
    std::size_t name_width = 0;
    for (const StoryStage& stage : story.stages) {
        name_width = std::max(name_width, stage.label.size());
    }
    std::string text = head_of(story, now);
    for (const std::size_t index : shown_stages(story)) {
        text += line_of(story, index, now, name_width) + "\n";
    }
    if (story.progress && story.state == "running") {
        text += progress_bar("", *story.progress, width) + "\n";
    }
    return cut(text, width);
}

}  // namespace topress::cli
