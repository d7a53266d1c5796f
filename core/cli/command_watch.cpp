// topress watch: a run as it goes on, from the events it leaves in its directory.
#include "base/log.hpp"
#include "cli/interrupt.hpp"
#include "cli/ledger_table.hpp"
#include "cli/session.hpp"
#include "cli/watch_view.hpp"
#include "pipeline/run_story.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

namespace topress::cli {
namespace {

constexpr auto kLookPeriod = std::chrono::milliseconds(200);

struct WatchOptions {
    std::string directory;
    bool once = false;
};

double now_since_1970() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Draws a page over the last one.
class LivePage {
  public:
    void draw(const std::string& page) {
        clear();
        std::fputs(page.c_str(), stderr);
        std::fflush(stderr);
        lines_ = std::ranges::count(page, '\n');
    }

    void clear() {
        if (lines_ > 0) {
            std::fprintf(stderr, "\033[%tdA\033[J", lines_);
            lines_ = 0;
        }
    }

  private:
    std::ptrdiff_t lines_ = 0;
};

/// Without a terminal that can be rewritten: a line when a stage begins, another when it ends.
class PlainLines {
  public:
    void tell(const pipeline::RunStory& story) {
        if (story.started != run_) {
            run_ = story.started;
            told_.assign(story.stages.size(), 0);
        }
        for (std::size_t index = 0; index < story.stages.size(); ++index) {
            const pipeline::StoryStage& stage = story.stages[index];
            const int state = stage.row ? 2 : stage.started > 0 ? 1 : 0;
            if (state > told_[index]) {
                told_[index] = state;
                log::write(log::Level::Info, state == 2 ? "finished" : "begins", stage.label);
            }
        }
    }

  private:
    double run_ = 0;
    std::vector<int> told_;
};

bool is_over(const pipeline::RunStory& story) {
    return story.state != "running";
}

void follow(pipeline::StoryReader& reader, const Session& session) {
    watch_interrupts();
    LivePage page;
    PlainLines lines;
    while (!is_over(reader.story()) && !is_interrupted()) {
        if (session.terminal.interactive && !session.quiet) {
            page.draw(render_story(reader.story(), now_since_1970(), session.terminal.width));
        } else {
            lines.tell(reader.story());
        }
        std::this_thread::sleep_for(kLookPeriod);
        reader.update();
    }
    page.clear();
}

std::vector<pipeline::Row> rows_of(const pipeline::RunStory& story) {
    std::vector<pipeline::Row> rows;
    for (const pipeline::StoryStage& stage : story.stages) {
        if (stage.row) {
            rows.push_back(*stage.row);
        }
    }
    return rows;
}

Outcome run_watch(const WatchOptions& options, const Session& session) {
    pipeline::StoryReader reader(options.directory);
    reader.update();
    if (!options.once && !session.json) {
        follow(reader, session);
    }
    const pipeline::RunStory& story = reader.story();
    Outcome outcome;
    outcome.document = pipeline::to_json(story);
    outcome.text = render_story(story, now_since_1970(), 1000);
    if (is_over(story) && !rows_of(story).empty()) {
        outcome.text += "\n" + ledger_table(rows_of(story));
    }
    for (const Diagnostic& diagnostic : story.diagnostics) {
        outcome.text += "\n" + render(diagnostic);
    }
    return outcome;
}

}  // namespace

void add_watch_command(CLI::App& app, Session& session) {
    auto options = std::make_shared<WatchOptions>();
    CLI::App* command = app.add_subcommand("watch", "show how a run goes on, or how it ended");
    command->add_option("DIR", options->directory, "output directory of a run")->required();
    command->add_flag("--once", options->once, "print how it stands now and end");
    command->footer(
        "Example: topress watch runs/demo\n"
        "Ctrl-C ends the view, not the run. --json implies --once.");
    command->callback([&session, options] {
        session.command = "watch";
        session.action = [&session, options] { return run_watch(*options, session); };
    });
}

}  // namespace topress::cli
