// The story of a run on disk: written as it goes on, read back piece by piece, curves for
// TensorBoard.
#include "base/error.hpp"
#include "pipeline/run_recorder.hpp"
#include "pipeline/run_story.hpp"
#include "pipeline/tensorboard.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <unistd.h>

using namespace topress;
using pipeline::RunRecorder;
using pipeline::StoryReader;

namespace {

std::string hex(const std::string& bytes) {
    std::string text;
    for (const char byte : bytes) {
        char two[3];
        std::snprintf(
            two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
        text += two;
    }
    return text;
}

pipeline::Plan plan_of_one_stage() {
    pipeline::Plan plan;
    plan.config.file = "/somewhere/net.toml";
    pipeline::PlannedStage stage;
    stage.label = test::full_row().stage;
    stage.technique.id = "example.technique";
    plan.stages.push_back(stage);
    return plan;
}

train::ProgressEvent step(std::uint64_t number, double loss) {
    train::ProgressEvent event;
    event.phase = "fine-tune";
    event.step = number;
    event.steps = 10;
    event.loss = loss;
    event.epoch_end = true;
    return event;
}

std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// Bytes made by TensorBoard's own RecordWriter and protobuf classes (2.20) from the same values.
TEST_CASE("tensorboard: a scalar has the bytes of TensorBoard's own writer") {
    const std::string event = pipeline::scalar_event("a/loss", 300, 0.25, 1234.5);
    CHECK(hex(event) == "0900000000004a934010ac022a0f0a0d0a06612f6c6f7373150000803e");
    CHECK(hex(pipeline::tensorboard_record(event)) ==
          "1d00000000000000602fdf230900000000004a934010ac022a0f0a0d0a06612f6c6f7373150000803e"
          "6dda4700");
}

TEST_CASE("tensorboard: a folder that cannot be made costs the curves only") {
    const test::TemporaryFolder folder;
    std::ofstream(folder.path() / "file") << "x";
    pipeline::TensorBoardWriter curves(folder.path() / "file" / "below");
    curves.scalar("a", 1, 0.5);
    curves.scalar("a", 2, 0.5);
    curves.flush();
    CHECK(std::filesystem::is_regular_file(folder.path() / "file"));
}

TEST_CASE("tensorboard: values that are not finite make no file") {
    const test::TemporaryFolder folder;
    {
        pipeline::TensorBoardWriter curves(folder.path() / "curves");
        curves.scalar("a", 1, std::nan(""));
        CHECK_FALSE(std::filesystem::exists(folder.path() / "curves"));
        curves.scalar("a", 1, 1);
    }
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path() / "curves"), {}) == 1);
}

TEST_CASE("live view: steps of a phase in pieces go on counting") {
    pipeline::StepCount count;
    CHECK(count.next(step(1, 0)) == 1);
    CHECK(count.next(step(4, 0)) == 4);
    CHECK(count.next(step(2, 0)) == 6);
    CHECK(count.next(step(4, 0)) == 8);
    train::ProgressEvent other = step(3, 0);
    other.phase = "heads";
    CHECK(count.next(other) == 3);
}

TEST_CASE("live view: what is recorded can be read while it goes on") {
    const test::TemporaryFolder folder;
    const pipeline::Plan plan = plan_of_one_stage();
    int heard = 0;
    pipeline::RunObserver listener;
    listener.progress = [&](const train::ProgressEvent&) { ++heard; };
    RunRecorder recorder(folder.path(), false);
    const pipeline::RunObserver observer = recorder.observe(listener);
    recorder.started(plan, false);
    StoryReader reader(folder.path());
    CHECK(reader.update());
    CHECK_FALSE(reader.update());
    CHECK(reader.story().state == "running");
    CHECK(reader.story().config == "net.toml");
    REQUIRE(reader.story().stages.size() == 2);

    observer.stage_started({1, 1, plan.stages[0].label, "example.technique"});
    observer.progress(step(3, 0.5));
    CHECK(heard == 1);
    CHECK(reader.update());
    CHECK(reader.story().at_work == 1);
    REQUIRE(reader.story().progress);
    CHECK(reader.story().progress->step == 3);

    observer.row_finished(test::full_row());
    CHECK(reader.update());
    CHECK_FALSE(reader.story().at_work);
    REQUIRE(reader.story().stages[1].row);
    CHECK(pipeline::to_json(*reader.story().stages[1].row) == pipeline::to_json(test::full_row()));

    pipeline::Ledger ledger;
    ledger.state = "failed";
    ledger.diagnostics.push_back({Severity::Error, "run/example", "a message", {}, {}, {}});
    ledger.rows.push_back(test::full_row());
    ledger.rows.back().test_accuracy = 0.75;
    recorder.ended(ledger);
    reader.update();
    CHECK(reader.story().state == "failed");
    CHECK(reader.story().stages[1].row->test_accuracy == 0.75);
    REQUIRE(reader.story().diagnostics.size() == 1);
    CHECK(pipeline::to_json(reader.story()).at("stages").at(1).at("state") == "finished");
    CHECK(std::filesystem::exists(folder.path() / pipeline::kTensorBoardFolder));
}

TEST_CASE("live view: half a line waits for its rest, a strange one is passed over") {
    const test::TemporaryFolder folder;
    {
        RunRecorder recorder(folder.path(), false);
        recorder.started(plan_of_one_stage(), false);
    }
    const auto path = folder.path() / pipeline::kEventsFile;
    const std::string line =
        R"({"event":"stage-started","time":5,"index":1,"label":"x","technique":"y"})";
    std::ofstream(path, std::ios::app) << "no json\n{\"event\":\"progress\"}\n"
                                       << line.substr(0, 30);
    StoryReader reader(folder.path());
    reader.update();
    CHECK(reader.story().stages.size() == 2);
    CHECK_FALSE(reader.story().at_work);
    std::ofstream(path, std::ios::app) << line.substr(30) << "\n";
    CHECK(reader.update());
    CHECK(reader.story().at_work == 1);
}

TEST_CASE(
    "live view: a new run in the same directory starts the story anew, a resumed one goes on") {
    const test::TemporaryFolder folder;
    {
        RunRecorder recorder(folder.path(), false);
        recorder.started(plan_of_one_stage(), false);
        pipeline::Ledger ledger;
        ledger.state = "interrupted";
        recorder.ended(ledger);
    }
    StoryReader reader(folder.path());
    reader.update();
    CHECK(reader.story().state == "interrupted");
    RunRecorder resumed(folder.path(), true);
    resumed.started(plan_of_one_stage(), true);
    reader.update();
    CHECK(reader.story().state == "running");
    const std::string both = read_text(folder.path() / pipeline::kEventsFile);
    CHECK(std::ranges::count(both, '\n') == 3);
    RunRecorder fresh(folder.path(), false);
    fresh.started(plan_of_one_stage(), false);
    CHECK(reader.update());
    CHECK(std::ranges::count(read_text(folder.path() / pipeline::kEventsFile), '\n') == 1);
}

TEST_CASE("live view: a run whose process is gone is not shown as running") {
    const test::TemporaryFolder folder;
    {
        RunRecorder recorder(folder.path(), false);
        recorder.started(plan_of_one_stage(), false);
    }
    const auto path = folder.path() / pipeline::kEventsFile;
    std::string text = read_text(path);
    const std::string own =
        "\"process_start\":" + std::to_string(pipeline::process_start(::getpid()));
    const std::size_t at = text.find(own);
    REQUIRE(at != std::string::npos);
    std::ofstream(path) << text.substr(0, at) << "\"process_start\":1"
                        << text.substr(at + own.size());
    StoryReader reader(folder.path());
    reader.update();
    CHECK(reader.story().state == "gone");
    CHECK(pipeline::process_start(-1) == 0);
}

TEST_CASE("live view: a folder without events is an error") {
    const test::TemporaryFolder folder;
    try {
        const StoryReader reader(folder.path());
        FAIL("was accepted");
    } catch (const Error& error) {
        CHECK(error.code() == "watch/no-events");
    }
}
