// The training loop: batches -> outputs -> loss -> gradients -> step, epoch by epoch.
#include "train/fit.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/profile.hpp"
#include "data/random.hpp"
#include "network/custom.hpp"
#include "network/execute.hpp"
#include "train/backward.hpp"
#include "train/optimizer.hpp"
#include "train/parameters.hpp"
#include "train/place.hpp"
#include "train/recorded_step.hpp"
#include "train/schedule.hpp"
#include "train/teacher.hpp"
#include "train/totals.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace topress::train {

namespace {

using Clock = std::chrono::steady_clock;

// Reading the loss waits for the device; between two readings nothing does.
constexpr std::uint64_t kStepsBetweenReadings = 50;
// What libraries choose and allocate in their first calls must not be recorded.
constexpr std::uint64_t kStepsBeforeRecording = 5;
// Recording takes as long as some steps.
constexpr std::uint64_t kLeastRecordedSteps = 20;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// At the pace since `start`.
double time_left(Clock::time_point start, std::uint64_t done, std::uint64_t all) {
    return seconds_since(start) / static_cast<double>(done) * static_cast<double>(all - done);
}

std::uint64_t count_steps(double epochs, std::int64_t batches) {
    if (!(epochs >= 0) || !std::isfinite(epochs)) {
        throw Error("train/bad-epochs",
                    "a fit of " + std::to_string(epochs) + " epochs was asked for",
                    {},
                    "ask for 0 or more epochs");
    }
    if (epochs > 0 && batches == 0) {
        throw Error("train/no-data",
                    "there is no sample to train on",
                    {},
                    "lower data.validation_ratio or add training pictures");
    }
    // 0.1 epochs of 10 batches is 1 step, not 2 because of the last bit of a product.
    return static_cast<std::uint64_t>(std::ceil(epochs * static_cast<double>(batches) - 1e-9));
}

// One fit from its first to its last step.
class Fit {
  public:
    Fit(network::Network& network, const FitOptions& options, const FitServices& services)
        : network_(network),
          options_(options),
          services_(services),
          smoothing_(options.label_smoothing.value_or(services.defaults.label_smoothing)),
          batches_(services.make_reader({}).batches()),
          steps_(count_steps(options.epochs, batches_)),
          scope_(network, choose_trained(network, options, services.defaults.weight_decay)),
          optimizer_(parse_optimizer(services.defaults.optimizer),
                     services.defaults.momentum,
                     scope_.groups()),
          schedule_(parse_schedule(services.defaults.schedule),
                    options.learning_rate.value_or(services.defaults.learning_rate),
                    steps_,
                    services.defaults.warmup_epochs * static_cast<double>(batches_)) {
        if (options.teacher != nullptr) {
            teacher_.emplace(*options.teacher, services.device, services.defaults.reduced);
            if (remembers(services.data.augmentation, options.epochs)) {
                teacher_->remember(services.data,
                                   services.pictures,
                                   services.teacher_memory,
                                   [this](std::uint64_t done, std::uint64_t all) {
                                       services_.throw_if_cancelled();
                                       tell_asking(done, all);
                                   });
            }
        }
        prepare_recording();
    }

    FitReport run() {
        training_start_ = Clock::now();
        for (std::uint64_t epoch = 0; step_ < steps_; ++epoch) {
            run_epoch(epoch);
        }
        report_.steps = step_;
        report_.seconds = seconds_since(start_);
        return std::move(report_);
    }

  private:
    void run_epoch(std::uint64_t epoch) {
        const Clock::time_point start = Clock::now();
        Totals totals(services_.device, services_.data.is_regression());
        data::BatchReader reader =
            services_.make_reader({data::derive_seed(options_.seed, epoch), epoch});
        double rate = 0;
        while (step_ < steps_) {
            services_.throw_if_cancelled();
            std::optional<data::Batch> read = next_batch(reader);
            if (!read) {
                break;
            }
            rate = schedule_.at(step_);
            run_step(*read, rate, totals);
            ++step_;
            if (step_ % kStepsBetweenReadings == 0) {
                tell_progress(check_loss_value(totals), false);
            }
        }
        const double loss = check_loss_value(totals);
        report_.final_loss = loss;
        report_.epochs.push_back(
            {options_.phase, position(), loss, totals.accuracy(), rate, seconds_since(start)});
        tell_progress(loss, true);
    }

    std::optional<data::Batch> next_batch(data::BatchReader& reader) const {
        const profile::Span span("data");
        std::optional<data::Batch> batch = reader.next();
        return batch ? std::optional(to_device(std::move(*batch), services_.device)) : batch;
    }

    void run_step(const data::Batch& batch, double rate, Totals& totals) {
        run_gradients(batch, totals);
        run_hook(options_.after_backward);
        {
            const profile::Span span("optimizer");
            optimizer_.step(rate);
        }
        run_hook(options_.after_step);
        optimizer_.clear_gradients();
    }

    // Forward, loss and backward.
    void run_gradients(const data::Batch& batch, Totals& totals) {
        const c10::AutoGradMode with_gradients(true);
        if (run_recorded(batch, totals)) {
            return;
        }
        const std::vector<at::Tensor> outputs = run_forward(batch.images);
        const LossResult result = compute_loss(outputs, batch);
        totals.add(result.loss, outputs.back().detach(), batch.labels);
        const profile::Span span("backward");
        run_backward(outputs, result.gradients);
    }

    // Operators of plugins may do on the host what cannot be recorded.
    void prepare_recording() {
        const bool pays = steps_ >= kStepsBeforeRecording + kLeastRecordedSteps;
        if (!pays || !services_.make_recorder || !network::custom_nodes(network_).empty()) {
            return;
        }
        if (std::unique_ptr<StepRecorder> recorder = services_.make_recorder()) {
            recorded_.emplace(
                std::move(recorder), network_, scope_.tensors(), [this](const at::Tensor& images) {
                    return run_forward(images);
                });
        }
    }

    // The same from recordings; false when nothing was done, because there is none.
    bool run_recorded(const data::Batch& batch, Totals& totals) {
        if (!recorded_ || step_ < kStepsBeforeRecording || !recorded_->accepts(batch.images)) {
            return false;
        }
        std::vector<at::Tensor> outputs;
        const bool is_forward = attempt([&] {
            const profile::Span span("forward");
            outputs = recorded_->forward(batch.images);
        });
        if (!is_forward) {
            return false;
        }
        const LossResult result = compute_loss(outputs, batch);
        totals.add(result.loss, outputs.back(), batch.labels);
        const profile::Span span("backward");
        bool is_done = false;
        const bool is_backward = attempt([&] { is_done = recorded_->backward(result.gradients); });
        if (!is_backward || !is_done) {
            repeat_gradients(batch, result.gradients);
        }
        return true;
    }

    // Recording fails where an operator asks the device something; the fit goes on without.
    bool attempt(const std::function<void()>& recording) {
        try {
            recording();
            return true;
        } catch (const std::exception& error) {
            log::warn(std::string("a training step cannot be recorded, so its operations are "
                                  "launched one by one: ") +
                      error.what());
            recorded_.reset();
            optimizer_.clear_gradients();
            return false;
        }
    }

    // Gradients of a step whose forward pass was replayed and has updated the statistics already.
    void repeat_gradients(const data::Batch& batch, const std::vector<at::Tensor>& gradients) {
        recorded_.reset();
        network::RunMode mode = run_mode();
        mode.update_statistics = false;
        run_backward(run_forward(batch.images, mode), gradients);
    }

    [[nodiscard]] network::RunMode run_mode() const {
        network::RunMode mode;
        mode.training = !options_.freeze_statistics;
        mode.update_statistics = !options_.freeze_statistics;
        mode.reduced = services_.defaults.reduced;
        return mode;
    }

    [[nodiscard]] std::vector<at::Tensor> run_forward(const at::Tensor& images) const {
        const profile::Span span("forward");
        return run_forward(images, run_mode());
    }

    [[nodiscard]] std::vector<at::Tensor> run_forward(const at::Tensor& images,
                                                      const network::RunMode& mode) const {
        std::vector<at::Tensor> outputs = network::forward(network_, images, mode);
        for (at::Tensor& output : outputs) {
            output = output.to(at::kFloat);  // itself, unless the run is reduced
        }
        return outputs;
    }

    LossResult compute_loss(const std::vector<at::Tensor>& outputs, const data::Batch& batch) {
        std::vector<at::Tensor> detached;
        detached.reserve(outputs.size());
        for (const at::Tensor& output : outputs) {
            detached.push_back(output.detach());
        }
        const at::Tensor teacher = teacher_ ? teacher_->logits(batch) : at::Tensor();
        const profile::Span span("loss");
        const LossInput input{detached, teacher, batch.labels, batch.images, step_, steps_};
        if (!options_.loss) {
            const c10::NoGradGuard no_gradients;
            LossResult own = default_loss(input, services_.loss, smoothing_);
            if (teacher.defined() && options_.teacher_weight > 0) {
                follow_teacher(own, input, options_.teacher_weight);
            }
            return own;
        }
        LossResult result = options_.loss(input);
        check_loss(result, detached);
        return result;
    }

    void run_hook(const StepHook& hook) {
        if (hook) {
            const profile::Span span("hook");
            const c10::NoGradGuard no_gradients;
            hook(network_, step_, steps_);
            scope_.adopt_changes();
        }
    }

    [[nodiscard]] double position() const {
        return static_cast<double>(step_) /
               static_cast<double>(std::max<std::int64_t>(batches_, 1));
    }

    [[nodiscard]] double check_loss_value(const Totals& totals) const {
        const double loss = totals.mean_loss();
        if (!std::isfinite(loss)) {
            throw Error("train/diverged",
                        "the loss is not finite any more after step " + std::to_string(step_) +
                            " of " + std::to_string(steps_),
                        options_.phase,
                        "lower train.learning_rate or add train.warmup_epochs");
        }
        return loss;
    }

    void tell_progress(double loss, bool epoch_end) const {
        if (!services_.progress) {
            return;
        }
        ProgressEvent event;
        event.phase = options_.phase;
        event.epoch = position();
        event.epochs = options_.epochs;
        event.step = step_;
        event.steps = steps_;
        event.loss = loss;
        event.eta_seconds = time_left(training_start_, step_, steps_);
        event.epoch_end = epoch_end;
        services_.progress(event);
    }

    // A deep teacher takes minutes for all variants of all pictures, before the first step.
    void tell_asking(std::uint64_t done, std::uint64_t all) const {
        const auto passes =
            static_cast<std::uint64_t>(services_.data.augmentation.pictures_of_one());
        const bool pass_end = done % (all / passes) == 0;
        if (!services_.progress || (!pass_end && done % kStepsBetweenReadings != 0)) {
            return;
        }
        ProgressEvent event;
        event.phase = "teacher";
        event.epochs = static_cast<double>(passes);
        event.epoch = static_cast<double>(done) / static_cast<double>(all) * event.epochs;
        event.step = done;
        event.steps = all;
        event.loss = std::numeric_limits<double>::quiet_NaN();
        event.eta_seconds = time_left(start_, done, all);
        event.epoch_end = pass_end;
        services_.progress(event);
    }

    network::Network& network_;
    const FitOptions& options_;
    const FitServices& services_;
    double smoothing_;
    std::int64_t batches_;
    std::uint64_t steps_;
    TrainingScope scope_;
    Optimizer optimizer_;
    Schedule schedule_;
    std::optional<Teacher> teacher_;
    std::optional<RecordedStep> recorded_;
    std::uint64_t step_ = 0;
    Clock::time_point start_ = Clock::now();
    Clock::time_point training_start_ = start_;  // once a teacher has been asked
    FitReport report_;
};

}  // namespace

FitReport run_fit(network::Network& network,
                  const FitOptions& options,
                  const FitServices& services) {
    return Fit(network, options, services).run();
}

}  // namespace topress::train
