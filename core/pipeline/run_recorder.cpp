// Events of a run, a line each.
#include "pipeline/run_recorder.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <unistd.h>

namespace topress::pipeline {
namespace {

constexpr auto kProgressPeriod = std::chrono::milliseconds(500);

double seconds_since_1970() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::round(std::chrono::duration<double, std::milli>(now).count()) / 1000;
}

Json event_named(const char* name) {
    Json event;
    event["event"] = name;
    event["time"] = seconds_since_1970();
    return event;
}

Json stage_json(const std::string& label, const std::string& technique) {
    Json stage;
    stage["label"] = label;
    stage["technique"] = technique;
    return stage;
}

}  // namespace

std::int64_t StepCount::next(const train::ProgressEvent& progress) {
    const auto step = static_cast<std::int64_t>(progress.step);
    if (progress.phase != phase_) {
        phase_ = progress.phase;
        before_ = 0;
    } else if (step <= last_) {
        before_ += last_;
    }
    last_ = step;
    return before_ + step;
}

RunRecorder::RunRecorder(const std::filesystem::path& directory, bool resume)
    : path_(directory / kEventsFile), curves_(directory / kTensorBoardFolder) {
    if (!resume) {
        std::error_code ignored;
        std::filesystem::remove_all(directory / kTensorBoardFolder, ignored);
    }
    file_ = std::fopen(path_.c_str(), resume ? "ae" : "we");
    if (file_ == nullptr) {
        log::warn("no live view of this run, " + path_.string() +
                  " cannot be written: " + std::strerror(errno));
    }
}

RunRecorder::~RunRecorder() {
    if (file_ != nullptr) {
        std::fclose(file_);
    }
}

void RunRecorder::started(const Plan& plan, bool resume) {
    std::vector<StageStart> stages{{0, plan.stages.size(), "baseline", ""}};
    for (const PlannedStage& stage : plan.stages) {
        stages.push_back({stages.size(), plan.stages.size(), stage.label, stage.technique.id});
    }
    started(std::filesystem::path(plan.config.file).filename().string(), stages, resume);
}

void RunRecorder::started(const std::string& config,
                          const std::vector<StageStart>& stages,
                          bool resume) {
    Json event = event_named("run-started");
    event["schema"] = kDocumentSchema;
    event["process"] = ::getpid();
    event["process_start"] = process_start(::getpid());
    event["process_space"] = process_space();
    event["config"] = config;
    event["resume"] = resume;
    event["stages"] = Json::array();
    for (const StageStart& stage : stages) {
        event["stages"].push_back(stage_json(stage.label, stage.technique));
    }
    write(std::move(event));
}

void RunRecorder::ended(const Ledger& ledger) {
    Json event = event_named("run-ended");
    event["state"] = ledger.state;
    const char* score = is_regression(ledger) ? "test_r2" : "test_accuracy";
    event[score] = Json::object();
    for (const Row& row : ledger.rows) {
        if (row.test_accuracy) {
            event[score][row.stage] = number(*row.test_accuracy);
        }
        if (row.test_error) {
            event["test_error"][row.stage] = number(*row.test_error);
        }
    }
    const StageCounts counts = count_stages(ledger.rows);
    event["stages_computed"] = counts.computed;
    event["stages_from_cache"] = counts.from_cache;
    event["stages_resumed"] = counts.resumed;
    event["diagnostics"] = to_json(ledger.diagnostics);
    write(std::move(event));
    curves_.flush();
}

RunObserver RunRecorder::observe(const RunObserver& listener) {
    RunObserver observer;
    observer.stage_started = [this, &listener](const StageStart& stage) {
        stage_started(stage);
        if (listener.stage_started) {
            listener.stage_started(stage);
        }
    };
    observer.progress = [this, &listener](const train::ProgressEvent& event) {
        progress(event);
        if (listener.progress) {
            listener.progress(event);
        }
    };
    observer.row_finished = [this, &listener](const Row& row) {
        row_finished(row);
        if (listener.row_finished) {
            listener.row_finished(row);
        }
    };
    return observer;
}

void RunRecorder::stage_started(const StageStart& stage) {
    label_ = stage.label;
    steps_ = {};
    Json event = event_named("stage-started");
    event["index"] = stage.index;
    event["label"] = stage.label;
    event["technique"] = stage.technique;
    write(std::move(event));
}

void RunRecorder::progress(const train::ProgressEvent& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (!progress.epoch_end && now - last_progress_ < kProgressPeriod) {
        return;
    }
    last_progress_ = now;
    Json event = event_named("progress");
    event["label"] = label_;
    event["phase"] = progress.phase;
    event["epoch"] = number(progress.epoch);
    event["epochs"] = number(progress.epochs);
    event["step"] = progress.step;
    event["steps"] = progress.steps;
    event["loss"] = number(progress.loss);
    event["eta_seconds"] = number(progress.eta_seconds);
    write(std::move(event));
    curves_.scalar(label_ + "/" + progress.phase + "/loss", steps_.next(progress), progress.loss);
    curves_.flush();
}

void RunRecorder::row_finished(const Row& row) {
    Json event = event_named("stage-finished");
    event["row"] = to_json(row);
    write(std::move(event));
    std::map<std::string, std::int64_t> epochs;  // of each phase; a phase may be fitted in pieces
    for (const train::EpochRecord& epoch : row.curves) {
        const std::string tag = row.stage + "/" + epoch.phase + "/";
        const std::int64_t number = ++epochs[tag];
        curves_.scalar(
            tag + (row.error ? "train_r2" : "train_accuracy"), number, epoch.train_accuracy);
        curves_.scalar(tag + "learning_rate", number, epoch.learning_rate);
    }
    const auto at = static_cast<std::int64_t>(rows_++);
    curves_.scalar(row.error ? "ledger/r2" : "ledger/accuracy", at, row.accuracy);
    if (row.error) {
        curves_.scalar("ledger/error", at, *row.error);
    }
    curves_.scalar("ledger/bitops_cr", at, row.bitops_cr);
    curves_.scalar("ledger/cr", at, row.cr);
    curves_.scalar("ledger/latency_ms", at, row.latency_ms);
    curves_.flush();
}

void RunRecorder::write(Json event) {
    if (file_ == nullptr) {
        return;
    }
    const std::string line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    // One call and at once: a reader sees whole lines.
    const bool is_written =
        std::fwrite(line.data(), 1, line.size(), file_) == line.size() && std::fflush(file_) == 0;
    if (!is_written) {
        log::warn("the live view of this run ends here, " + path_.string() +
                  " cannot be written: " + std::strerror(errno));
        std::fclose(file_);
        file_ = nullptr;
    }
}

std::string process_space() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string boot;
    std::getline(file, boot);
    std::error_code ignored;
    return boot + " " + std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

std::uint64_t process_start(std::int64_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');  // the name may hold anything, blanks too
    if (name_end == std::string::npos) {
        return 0;
    }
    std::istringstream fields(text.substr(name_end + 1));
    std::string field;
    for (int number = 3; number < 22; ++number) {  // proc(5): 3 is the state, 22 the start
        fields >> field;
    }
    std::uint64_t start = 0;
    return fields >> start ? start : 0;
}

}  // namespace topress::pipeline
