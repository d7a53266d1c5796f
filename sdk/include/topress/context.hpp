// What a running stage offers a technique beside its network: data, training, log, random numbers.
#pragma once

#include <topress/abi.h>
#include <topress/data.hpp>
#include <topress/detail/error.hpp>
#include <topress/detail/fit.hpp>
#include <topress/detail/host.hpp>
#include <topress/model.hpp>
#include <topress/stream.hpp>
#include <topress/training.hpp>

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace topress {

/// The services of one stage. Every function that can fail throws PluginError.
class Context {
  public:
    explicit Context(const topress_stage& stage)
        : run_(stage.run),
          original_(stage.original),
          label_(stage.label),
          device_(std::string(stage.device)) {}

    /// Of the instance in the configuration.
    [[nodiscard]] const std::string& label() const noexcept { return label_; }

    /// Where the networks and the batches are.
    [[nodiscard]] at::Device device() const noexcept { return device_; }

    /// The baseline network; the host refuses changes to it.
    [[nodiscard]] const Model& original() const noexcept { return original_; }

    // -- log, progress, cancellation -- [log and cancelled: any thread]

    void log_debug(const std::string& text) const { log_line(TOPRESS_LOG_DEBUG, text); }

    void log_info(const std::string& text) const { log_line(TOPRESS_LOG_INFO, text); }

    void log_warn(const std::string& text) const { log_line(TOPRESS_LOG_WARN, text); }

    /// `done` of `total` (0 = unknown) of what `what` says.
    void progress(std::uint64_t done, std::uint64_t total, const std::string& what) {
        run_api().progress(run_, done, total, what.c_str());
    }

    /// True when the user wants to stop.
    [[nodiscard]] bool cancelled() const { return run_api().cancelled(run_) != 0; }

    /// Ends the stage when the user wants to stop: call it in long loops. fit() does it by itself.
    void throw_if_cancelled() const {
        if (cancelled()) {
            throw PluginError(TOPRESS_ERROR_CANCELLED, "the run was interrupted");
        }
    }

    // -- random numbers, artefacts, figures --

    /// The next number of the stage's own generator: same run seed and label, same numbers.
    [[nodiscard]] std::uint64_t random() { return run_api().random(run_); }

    /// An existing folder for files of this stage.
    [[nodiscard]] std::filesystem::path artefact_directory() {
        return run_api().artefact_directory(run_);
    }

    /// One named figure for ledger and report; the last value of a name counts.
    void metric(const std::string& name, double value) {
        run_api().metric(run_, name.c_str(), value);
    }

    // -- data --

    [[nodiscard]] DataInfo info() const {
        topress_data_info plain{};
        plain.struct_size = sizeof plain;
        detail::call(data_api().info, run_, &plain);
        return {static_cast<std::int64_t>(plain.classes),
                static_cast<std::int64_t>(plain.channels),
                static_cast<std::int64_t>(plain.height),
                static_cast<std::int64_t>(plain.width),
                static_cast<std::int64_t>(plain.train_samples),
                static_cast<std::int64_t>(plain.validation_samples),
                static_cast<TaskLoss>(plain.loss)};
    }

    /// Reads a split once. `batch_size` 0 = the run's. `augment`: shuffled and augmented from
    /// `seed`; otherwise in file order, untouched.
    [[nodiscard]] BatchReader batches(Split split,
                                      std::uint64_t batch_size = 0,
                                      bool augment = false,
                                      std::uint64_t seed = 0) const {
        topress_reader* reader = nullptr;
        detail::call(data_api().open,
                     run_,
                     static_cast<std::int32_t>(split),
                     batch_size,
                     augment ? 1 : 0,
                     seed,
                     &reader);
        return BatchReader(reader);
    }

    // -- training --

    /// Trains in place. An exception from the loss or a hook ends the fit and comes out of here as
    /// it is.
    FitReport fit(Model& model, const FitOptions& options) {
        const std::uint64_t seed = options.seed ? *options.seed : random();
        const detail::FitCall fit_call(options, seed);
        topress_fit_report report{};
        report.struct_size = sizeof report;
        topress_error error = detail::make_error();
        const topress_status status =
            training_api().fit(run_, model.handle(), &fit_call.plain(), &report, &error);
        if (status != TOPRESS_OK) {
            fit_call.rethrow();
        }
        detail::throw_if_failed(status, error);
        return {report.steps, report.final_loss, report.seconds};
    }

    [[nodiscard]] Evaluation evaluate(const Model& model) {
        topress_evaluation plain{};
        plain.struct_size = sizeof plain;
        detail::call(training_api().evaluate, run_, model.handle(), &plain);
        return {static_cast<std::int64_t>(plain.samples),
                plain.accuracy,
                plain.loss,
                {plain.exit_shares, plain.exit_shares + plain.exit_count}};
    }

    /// Batch-norm running statistics anew from this many training batches.
    void update_statistics(Model& model, std::uint64_t batches) {
        detail::call(training_api().update_statistics, run_, model.handle(), batches);
    }

  private:
    static const topress_run_v1& run_api() { return table<topress_run_v1>(TOPRESS_RUN_1); }

    static const topress_data_v1& data_api() { return table<topress_data_v1>(TOPRESS_DATA_1); }

    static const topress_training_v1& training_api() {
        return table<topress_training_v1>(TOPRESS_TRAINING_1);
    }

    void log_line(std::int32_t level, const std::string& text) const {
        run_api().log(run_, level, text.c_str());
    }

    topress_run* run_;
    Model original_;
    std::string label_;
    at::Device device_;
};

}  // namespace topress
