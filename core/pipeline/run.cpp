// The run, top to bottom.
#include "pipeline/run.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "network/serialize.hpp"
#include "pipeline/baseline.hpp"
#include "pipeline/context.hpp"
#include "pipeline/measure.hpp"
#include "pipeline/run_data.hpp"
#include "pipeline/run_profile.hpp"
#include "pipeline/run_recorder.hpp"
#include "pipeline/stage.hpp"
#include "pipeline/stage_key.hpp"
#include "pipeline/version.hpp"
#include "train/device.hpp"

#include <ATen/Parallel.h>

#include <optional>
#include <stdexcept>

namespace topress::pipeline {
namespace {

Conditions describe_run(const RunContext& run) {
    const config::RunConfig& config = run.plan.config;
    Conditions conditions;
    conditions.config_file = std::filesystem::path(config.file).filename().string();
    conditions.config_text = resolved_config(run.plan);
    conditions.dataset = config.data.dataset;
    conditions.device = config.device;
    conditions.version = program_version();
    conditions.torch_version = torch_version();
    conditions.seed = config.seed;
    conditions.latency_batch = kLatencyBatch;
    return conditions;
}

/// A network that comes with its normalisation keeps it: it was trained under it.
std::optional<data::Normalisation> saved_normalisation(const config::RunConfig& config) {
    if (config.model.checkpoint.empty()) {
        return std::nullopt;
    }
    const auto metadata = network::load_metadata(config.model.checkpoint);
    const auto memory = memory_of(metadata, config.model.checkpoint);
    return memory ? std::optional(memory->normalisation) : std::nullopt;
}

void prepare_data(RunContext& run) {
    const config::RunConfig& config = run.plan.config;
    run.data = load_run_data(config.data, saved_normalisation(config));
    run.metadata =
        to_metadata({config.data, run.data.normalisation, run.data.classes, run.data.targets});
    run.ledger.conditions.train_samples = run.data.train.size();
    run.ledger.conditions.validation_samples = run.data.validation.size();
    run.ledger.conditions.test_samples = run.data.test.size();
    train::set_threads(config.threads);
    run.ledger.conditions.threads = at::get_num_threads();
    run.trainer = std::make_unique<train::Trainer>(
        run.data, training_defaults(config.train), train::open_device(config.device));
    run.identity = run_identity(HostIdentity::of_process(run.trainer->device()), config, run.data);
}

void open_cache(RunContext& run) {
    if (!run.options.use_cache) {
        return;
    }
    const auto warn = [&run](Diagnostic warning) {
        log::warn(warning.message);
        run.ledger.diagnostics.push_back(std::move(warning));
    };
    run.cache = std::make_unique<RunCache>(StageCache(cache_place(run.plan.config.cache), warn),
                                           run.options.cancelled);
    const auto key = [&run](const std::string& teacher) {
        return teacher_key(run.identity, teacher, operator_origins());
    };
    run.trainer->set_teacher_store(
        {[&run, key](const std::string& teacher) {
             at::Tensor logits = run.cache->find_teacher_answers(key(teacher));
             if (logits.defined()) {
                 log::info("what the teacher says of every picture is in the stage cache");
             }
             return logits;
         },
         [&run, key](const std::string& teacher, const at::Tensor& logits) {
             run.cache->keep_teacher_answers(key(teacher), logits);
         }});
}

/// The result, and the only look at the test split: the first and the last network, once.
void finish(RunContext& run) {
    run.output.write_network(run.current, run.metadata);
    if (run.options.brief) {
        return;
    }
    const auto test = [&run](const network::Network& network, Row& row) {
        const train::Evaluation found = evaluate_plainly(*run.trainer, network, run.data.test);
        row.test_accuracy = found.accuracy;
        row.test_error = found.error;
    };
    std::vector<Row>& rows = run.ledger.rows;
    test(run.baseline, rows.front());
    if (rows.size() > 1) {
        test(run.current, rows.back());
    }
}

void execute(RunContext& run) {
    std::vector<PreparedTechnique> techniques = prepare_techniques(run);
    prepare_data(run);
    open_cache(run);
    run_baseline(run);
    for (std::size_t index = 0; index < techniques.size(); ++index) {
        run_stage(run, index, techniques);
    }
    run.stop_if_cancelled();
    finish(run);
    run.ledger.state = "finished";
}

/// "stage 'channel'", the one that was being worked on when `rows` were done.
std::string unfinished_stage(const RunContext& run) {
    const std::size_t done = run.ledger.rows.size();
    if (done == 0) {
        return "the baseline";
    }
    return done <= run.plan.stages.size() ? "stage '" + run.plan.stages[done - 1].label + "'"
                                          : "the final test";
}

std::string on_disk(const RunContext& run) {
    return "finished so far: " + std::to_string(run.ledger.rows.size()) + " rows, in " +
           (run.output.root() / "ledger.json").string();
}

/// The user asked for it: whatever layer noticed it first, it reads the same.
void word_interruption(const RunContext& run, Diagnostic& failure) {
    failure.message = "interrupted during " + unfinished_stage(run) + ", which is rolled back";
    failure.location = {};
    failure.hint = "continue with the same command and --resume";
}

void note_failure(RunContext& run, Diagnostics failures) {
    run.ledger.state = "failed";
    for (Diagnostic& failure : failures) {
        if (failure.code == "run/interrupted") {
            run.ledger.state = "interrupted";
            word_interruption(run, failure);
        } else if (failure.severity == Severity::Error) {
            failure.message = unfinished_stage(run) + ": " + failure.message;
        }
        if (failure.severity == Severity::Error) {
            failure.notes.push_back({on_disk(run), {}});
        }
        run.ledger.diagnostics.push_back(std::move(failure));
    }
}

/// Runs the spine; whatever ends it early becomes diagnostics of the ledger.
void execute_and_note(RunContext& run) {
    try {
        execute(run);
    } catch (const DiagnosticError& error) {
        note_failure(run, error.diagnostics());
    } catch (const Error& error) {
        note_failure(run, {to_diagnostic(error)});
    } catch (const std::exception& error) {
        note_failure(run, {to_diagnostic(Error("internal/exception", error.what()))});
    }
}

void write_profile(RunContext& run, RunProfile& profile) {
    try {
        profile.finish(run.output.root());
    } catch (const Error& error) {
        run.ledger.diagnostics.push_back(to_diagnostic(error));
        run.ledger.diagnostics.back().severity = Severity::Warning;  // the results are there
    }
}

/// The last word on disk. When that fails too, the ledger of the last good row stays there.
void write_last_ledger(RunContext& run) {
    try {
        run.write_ledger();
    } catch (const Error& error) {
        if (!has_errors(run.ledger.diagnostics)) {
            note_failure(run, {to_diagnostic(error)});
        }
    }
}

}  // namespace

Ledger run(const Plan& plan, const RunOptions& options) {
    OutputDir output(options.output);
    output.write_plan(plan);  // before anything of an earlier run is removed
    RunRecorder recorder(output.root(), options.resume);
    RunOptions recorded = options;
    recorded.observer = recorder.observe(options.observer);
    RunContext run{
        plan, recorded, std::move(output), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    recorded.observer.progress =
        [&run, tell = std::move(recorded.observer.progress)](const train::ProgressEvent& event) {
            tell(event);
            run.loss_watch.hear(event);
        };
    run.output.clear(options.resume);
    recorder.started(plan, options.resume);
    run.ledger.diagnostics = plan.diagnostics;
    run.ledger.conditions = describe_run(run);
    std::optional<RunProfile> profile;
    if (options.profile) {
        profile.emplace();
    }
    execute_and_note(run);
    if (profile) {
        write_profile(run, *profile);
    }
    write_last_ledger(run);
    recorder.ended(run.ledger);
    log::flush();
    return std::move(run.ledger);
}

}  // namespace topress::pipeline
