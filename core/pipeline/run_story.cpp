// Events back from their lines.
#include "pipeline/run_story.hpp"

#include "base/error.hpp"
#include "pipeline/run_recorder.hpp"

#include <algorithm>
#include <fstream>
#include <limits>

namespace topress::pipeline {
namespace {

double number_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? found->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

train::ProgressEvent progress_of(const Json& event) {
    train::ProgressEvent progress;
    progress.phase = event.at("phase").get<std::string>();
    progress.epoch = number_of(event, "epoch");
    progress.epochs = number_of(event, "epochs");
    progress.step = event.at("step").get<std::uint64_t>();
    progress.steps = event.at("steps").get<std::uint64_t>();
    progress.loss = number_of(event, "loss");
    progress.eta_seconds = number_of(event, "eta_seconds");
    return progress;
}

Json to_json(const train::ProgressEvent& progress) {
    Json json;
    json["phase"] = progress.phase;
    json["epoch"] = number(progress.epoch);
    json["epochs"] = number(progress.epochs);
    json["step"] = progress.step;
    json["steps"] = progress.steps;
    json["loss"] = number(progress.loss);
    json["eta_seconds"] = number(progress.eta_seconds);
    return json;
}

const char* state_of(const RunStory& story, std::size_t index) {
    if (story.stages[index].row) {
        return "finished";
    }
    if (story.at_work != index) {
        return "waiting";
    }
    return story.state == "running" ? "running" : story.state.c_str();
}

}  // namespace

StoryReader::StoryReader(const std::filesystem::path& directory) : path_(directory / kEventsFile) {
    if (!std::ifstream(path_)) {
        throw Error("watch/no-events",
                    "there is no run to watch: no " + std::string(kEventsFile),
                    directory.string(),
                    "name the output directory of a run, as given with --output");
    }
}

bool StoryReader::update() {
    std::error_code failed;
    const std::uintmax_t size = std::filesystem::file_size(path_, failed);
    if (!failed && size < read_bytes_) {  // the directory was used for a new run
        read_bytes_ = 0;
    }
    std::ifstream file(path_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(read_bytes_));
    bool is_new = false;
    std::string line;
    while (std::getline(file, line) && !file.eof()) {
        read_bytes_ += line.size() + 1;
        const Json event = Json::parse(line, nullptr, false);
        try {
            if (event.is_object()) {
                take(event);
                is_new = true;
            }
        } catch (const Json::exception&) {
            // written by another version: the rest of the story still counts
        }
    }
    look_for_process();
    return is_new;
}

void StoryReader::take(const Json& event) {
    const auto name = event.at("event").get<std::string>();
    story_.last_event = event.at("time").get<double>();
    if (name == "run-started") {
        start_over(event);
    } else if (name == "stage-started") {
        const auto index = event.at("index").get<std::size_t>();
        if (index < story_.stages.size()) {
            story_.at_work = index;
            story_.stages[index].started = story_.last_event;
        }
        story_.progress.reset();
    } else if (name == "progress") {
        story_.progress = progress_of(event);
    } else if (name == "stage-finished") {
        Row row = row_from_json(event.at("row"));
        const auto stage = std::ranges::find(story_.stages, row.stage, &StoryStage::label);
        if (stage != story_.stages.end()) {
            stage->row = std::move(row);
        }
        story_.at_work.reset();
        story_.progress.reset();
    } else if (name == "run-ended") {
        story_.state = event.at("state").get<std::string>();
        const bool is_regression = event.contains("test_r2");
        const Json& scores = event.at(is_regression ? "test_r2" : "test_accuracy");
        for (StoryStage& stage : story_.stages) {
            if (stage.row && scores.contains(stage.label)) {
                stage.row->test_accuracy = number_of(scores, stage.label.c_str());
            }
            if (stage.row && is_regression && scores.contains(stage.label)) {
                stage.row->test_error = number_of(event.at("test_error"), stage.label.c_str());
            }
        }
        for (const Json& diagnostic : event.at("diagnostics")) {
            story_.diagnostics.push_back(diagnostic_from_json(diagnostic));
        }
    }
}

void StoryReader::start_over(const Json& event) {
    const double now = story_.last_event;
    story_ = {};
    story_.started = story_.last_event = now;
    story_.config = event.at("config").get<std::string>();
    process_ = event.at("process").get<std::int64_t>();
    process_start_ = event.at("process_start").get<std::uint64_t>();
    is_here_ = event.at("process_space").get<std::string>() == process_space();
    for (const Json& stage : event.at("stages")) {
        story_.stages.push_back({stage.at("label").get<std::string>(),
                                 stage.at("technique").get<std::string>(),
                                 0,
                                 std::nullopt});
    }
}

/// Only a run that says it is running can have gone, and only here can it be missed.
void StoryReader::look_for_process() {
    if (!is_here_ || (story_.state != "running" && story_.state != "gone")) {
        return;
    }
    const bool is_there = process_start_ != 0 && process_start(process_) == process_start_;
    story_.state = is_there ? "running" : "gone";
}

Json to_json(const RunStory& story) {
    Json json = document_head("watch", {});
    json["state"] = story.state;
    json["config"] = story.config;
    json["started"] = story.started;
    json["last_event"] = story.last_event;
    json["stages"] = Json::array();
    for (std::size_t index = 0; index < story.stages.size(); ++index) {
        const StoryStage& stage = story.stages[index];
        Json entry;
        entry["label"] = stage.label;
        entry["technique"] = stage.technique;
        entry["state"] = state_of(story, index);
        if (stage.row) {
            entry["row"] = to_json(*stage.row);
        }
        json["stages"].push_back(std::move(entry));
    }
    if (story.progress) {
        json["progress"] = to_json(*story.progress);
    }
    json["run_diagnostics"] = to_json(story.diagnostics);
    return json;
}

}  // namespace topress::pipeline
