// The run's side of a worker.
#include "pipeline/isolated.hpp"

#include "base/child_process.hpp"
#include "base/log.hpp"
#include "pipeline/worker_events.hpp"
#include "pipeline/worker_files.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <deque>
#include <sstream>

namespace topress::pipeline {
namespace {

constexpr std::size_t kLastLines = 8;
constexpr double kConfigureLimitSeconds = 120;
// After a request of the user a step of training may have to end first; who overran its limit has
// had its time.
constexpr auto kGraceOfUser = std::chrono::seconds(10);
constexpr auto kGraceOfLimit = std::chrono::seconds(1);

/// Takes what a worker says while it works, and remembers the last lines.
class Listener {
  public:
    Listener(const RunContext& run, std::string label)
        : run_(run), label_(std::move(label)), prefix_(std::string("[").append(label_) + "] ") {}

    void hear(std::string_view line) {
        const EventListeners listeners{
            [this](log::Level level, std::string_view text) { hear_log(level, text); },
            [this](const train::ProgressEvent& event) {
                if (run_.options.observer.progress) {
                    run_.options.observer.progress(event);
                }
            }};
        if (!read_event(line, listeners)) {
            log::write(log::Level::Debug, line, label_);
        }
    }

    [[nodiscard]] const std::deque<std::string>& last_lines() const { return last_; }

  private:
    void hear_log(log::Level level, std::string_view text) {
        if (text.starts_with(prefix_)) {
            text.remove_prefix(prefix_.size());
        }
        log::write(level, text, label_);
        last_.emplace_back(text);
        if (last_.size() > kLastLines) {
            last_.pop_front();
        }
    }

    const RunContext& run_;
    std::string label_;
    std::string prefix_;
    std::deque<std::string> last_;
};

Diagnostic failure(const PlannedStage& stage, const char* code, const std::string& what) {
    Diagnostic diagnostic;
    diagnostic.code = code;
    diagnostic.message =
        "the process of '" + stage.label + "' (" + stage.technique.id + ") " + what;
    diagnostic.notes.push_back({"plugin: " + stage.plugin.path.string(), {}});
    return diagnostic;
}

std::string rounded(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

Diagnostic crashed(const PlannedStage& stage, const ChildResult& ended) {
    Diagnostic diagnostic = failure(
        stage, "run/worker-crashed", "crashed: it was ended by " + signal_name(ended.signal));
    diagnostic.hint = ended.signal == SIGKILL
                          ? "the system may have run out of memory: free some, or make the batch "
                            "smaller, then run the same command with --resume"
                          : "report it to the plugin's author; without this technique, or with a "
                            "repaired plugin, the same command with --resume goes on";
    return diagnostic;
}

Diagnostic exited(const PlannedStage& stage, const ChildResult& ended) {
    Diagnostic diagnostic =
        failure(stage,
                "run/worker-exited",
                "ended with status " + std::to_string(ended.code) + " before it had a result");
    diagnostic.hint =
        "a plugin must not end the process: report it to its author; without this technique, or "
        "with a repaired plugin, the same command with --resume goes on";
    return diagnostic;
}

Diagnostic timed_out(const PlannedStage& stage, double limit_seconds) {
    Diagnostic diagnostic = failure(stage,
                                    "run/worker-timeout",
                                    "took longer than " + rounded(limit_seconds) +
                                        " s and was "
                                        "stopped");
    diagnostic.hint = "raise timeout_s in [technique." + stage.label +
                      "] if it needs longer, then run the same command with --resume";
    return diagnostic;
}

Diagnostic too_large(const PlannedStage& stage) {
    Diagnostic diagnostic =
        failure(stage,
                "run/worker-memory",
                "held more than " + std::to_string(stage.isolation.memory_limit_mb) +
                    " MiB of memory and was stopped");
    diagnostic.hint = "raise memory_limit_mb in [technique." + stage.label +
                      "] if it needs more, then run the same command with --resume";
    return diagnostic;
}

void add_lines(Diagnostic& diagnostic, const char* from, const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    std::deque<std::string> last;
    while (std::getline(lines, line)) {
        last.push_back(line);
        if (last.size() > kLastLines) {
            last.pop_front();
        }
    }
    for (const std::string& kept : last) {
        diagnostic.notes.push_back({std::string(from).append(": ").append(kept), {}});
    }
}

/// A worker at work for one stage.
class Worker {
  public:
    Worker(RunContext& run, std::size_t index)
        : run_(run),
          stage_(run.plan.stages[index]),
          artefacts_(run.output.stage_path(index + 1, stage_.label)),
          folder_(artefacts_ / "worker") {
        folder_.create();
    }

    ~Worker() { folder_.remove(); }

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    WorkerResult run(bool only_configure) {
        write_files(only_configure);
        Listener listener(run_, stage_.label);
        const ChildOptions options = child_options(listener, only_configure);
        const ChildResult ended = run_child(options);
        tell(ended);
        require_success(ended, options, listener);
        WorkerResult result = folder_.read_result();
        if (!result.diagnostics.empty()) {
            throw DiagnosticError(result.diagnostics);
        }
        return result;
    }

  private:
    /// Plugins that this process has opened too, in the same order: a stage then finds the same
    /// operators as it would in here.
    [[nodiscard]] std::vector<std::filesystem::path> libraries() const {
        std::vector<std::filesystem::path> paths;
        for (const PlannedStage& stage : run_.plan.stages) {
            const bool is_wanted = !stage.isolation.is_process || stage.label == stage_.label;
            if (is_wanted && std::ranges::find(paths, stage.plugin.path) == paths.end()) {
                paths.push_back(stage.plugin.path);
            }
        }
        return paths;
    }

    void write_files(bool only_configure) const {
        WorkerJob job;
        job.label = stage_.label;
        job.only_configure = only_configure;
        job.own_library = stage_.plugin.path;
        job.libraries = only_configure ? std::vector{stage_.plugin.path} : libraries();
        job.artefact_directory = artefacts_;
        job.normalisation = run_.data.normalisation;
        folder_.write_job(job, resolved_config(run_.plan));
        if (!only_configure) {
            folder_.write_networks(run_.current, run_.baseline);
        }
    }

    [[nodiscard]] ChildOptions child_options(Listener& listener, bool only_configure) const {
        const StageIsolation& isolation = stage_.isolation;
        ChildOptions options;
        options.program = own_program();
        options.arguments = {"worker", folder_.root().string()};
        const double limit = limit_seconds(only_configure);
        options.timeout =
            std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(limit * 1000)));
        options.memory_limit_bytes = static_cast<std::uint64_t>(isolation.memory_limit_mb) << 20U;
        options.cancelled = run_.options.cancelled;
        options.on_line = [&listener](std::string_view line) { listener.hear(line); };
        options.grace = kGraceOfUser;
        options.timeout_grace = kGraceOfLimit;
        return options;
    }

    [[nodiscard]] double limit_seconds(bool only_configure) const {
        const double limit = stage_.isolation.timeout_s;
        return limit <= 0 && only_configure ? kConfigureLimitSeconds : limit;
    }

    void tell(const ChildResult& ended) const {
        std::istringstream lines(ended.error_tail);
        std::string line;
        while (std::getline(lines, line)) {
            log::write(log::Level::Debug, "stderr: " + line, stage_.label);
        }
    }

    void require_success(const ChildResult& ended,
                         const ChildOptions& options,
                         const Listener& listener) const {
        using End = ChildResult::End;
        if (ended.end == End::Cancelled) {
            throw Error("run/interrupted", "stopped by the user");
        }
        if (ended.end == End::Exited && folder_.has_result()) {
            return;
        }
        const double limit = std::chrono::duration<double>(options.timeout).count();
        Diagnostic diagnostic = ended.end == End::TimedOut         ? timed_out(stage_, limit)
                                : ended.end == End::MemoryExceeded ? too_large(stage_)
                                : ended.end == End::Signalled      ? crashed(stage_, ended)
                                                                   : exited(stage_, ended);
        for (const std::string& line : listener.last_lines()) {
            diagnostic.notes.push_back({"its log: " + line, {}});
        }
        add_lines(diagnostic, "its standard error", ended.error_tail);
        throw DiagnosticError({std::move(diagnostic)});
    }

    RunContext& run_;
    const PlannedStage& stage_;
    std::filesystem::path artefacts_;
    WorkerFolder folder_;
};

}  // namespace

void try_isolated(RunContext& run, std::size_t index) {
    static_cast<void>(Worker(run, index).run(true));
}

StageOutcome apply_isolated(RunContext& run, std::size_t index) {
    WorkerResult result = Worker(run, index).run(false);
    if (!result.network) {
        throw Error("run/worker-bad-result",
                    "the result of the stage's process cannot be used: it has no network",
                    run.plan.stages[index].label,
                    "report it to the plugin's author");
    }
    log::write(log::Level::Debug,
               "its process held up to " +
                   std::to_string(std::llround(result.row.peak_memory_bytes / (1 << 20))) + " MiB",
               run.plan.stages[index].label);
    return {std::move(*result.network), std::move(result.row), std::move(result.leaks)};
}

}  // namespace topress::pipeline
