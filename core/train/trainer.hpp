// The training loop: one network, one loss, a schedule; hooks for techniques; evaluation.
#pragma once

#include "data/batches.hpp"
#include "data/dataset.hpp"
#include "network/graph.hpp"
#include "train/step_recorder.hpp"

#include <topress/number_loss.hpp>

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace topress::train {

/// The data of a run, prepared once: splits, normalisation, augmentation. Targets of a regression
/// are in the unit of normalisation.targets, in which the network answers.
struct TrainingData {
    data::Samples train;
    data::Samples validation;
    data::Samples test;
    data::Normalisation normalisation;
    data::Augmentation augmentation;
    std::vector<std::string> classes;       ///< empty for regression
    std::vector<std::string> targets = {};  ///< names of the numbers; empty for classification

    [[nodiscard]] bool is_regression() const { return !targets.empty(); }

    /// Elements of a network's output.
    [[nodiscard]] std::int64_t answers() const {
        return static_cast<std::int64_t>(is_regression() ? targets.size() : classes.size());
    }
};

/// Defaults of a run ([train] in the configuration).
struct TrainingDefaults {
    std::int64_t batch_size = 128;
    std::string optimizer = "sgd";  ///< "sgd" (Nesterov) or "adamw"
    double learning_rate = 0.1;
    double momentum = 0.9;
    double weight_decay = 5e-4;          ///< on weights only, not on biases, norms and scales
    std::string schedule = "one-cycle";  ///< "cosine", "one-cycle", "constant"
    double warmup_epochs = 0;
    double label_smoothing = 0;
    std::string loss = {};  ///< "cross-entropy", "mse", "mae", "huber"; empty = by the task
    /// Forward and backward in bfloat16; parameters, their gradients, the loss and every evaluation
    /// in float.
    bool reduced = false;
    /// On a CUDA device: forward and backward are recorded once a fit and launched as one graph.
    bool cuda_graph = false;
    /// Of the original's answers in a stage's fit that has neither a loss nor a teacher.
    double original_weight = 0;
};

/// What a loss sees of one step; outputs are detached.
struct LossInput {
    const std::vector<at::Tensor>& outputs;  ///< logits of exits in order, then main, each (N, C)
    const at::Tensor& teacher;               ///< (N, C), undefined without a teacher
    const at::Tensor& labels;                ///< (N) int64, or (N, D) float
    const at::Tensor& images;
    std::uint64_t step;
    std::uint64_t steps;
};

/// Mean loss (scalar) and its gradient for every output (undefined = none).
struct LossResult {
    at::Tensor loss;
    std::vector<at::Tensor> gradients;
};

using Loss = std::function<LossResult(const LossInput&)>;
using StepHook = std::function<void(network::Network&, std::uint64_t step, std::uint64_t steps)>;

/// Parameters by role or by name with their own learning rate; factor 0 = frozen.
struct ParameterGroup {
    std::string role;  ///< empty = by name
    std::string name;
    double learning_rate_factor = 1;
    std::optional<double> weight_decay;
};

/// One fit.
struct FitOptions {
    double epochs = 1;  ///< may be a fraction
    std::optional<double> learning_rate;
    std::optional<double> label_smoothing;
    std::string phase = "train";
    std::uint64_t seed = 0;
    const network::Network* teacher = nullptr;  ///< evaluation mode, never trained
    Loss loss;  ///< empty = the mean of the run's loss over exits and main output
    /// Without a loss: weight of the teacher's answers beside the run's loss (follow_teacher()).
    double teacher_weight = 0;
    StepHook after_backward;
    StepHook after_step;
    std::vector<ParameterGroup> groups;
    bool freeze_others = false;
    bool freeze_statistics = false;
};

/// One point of the training curve, an epoch each.
struct EpochRecord {
    std::string phase;
    double epoch = 0;
    double loss = 0;
    double train_accuracy = 0;  ///< of the main output on the augmented batches; R2 of numbers
    double learning_rate = 0;   ///< at its end
    double seconds = 0;
};

struct FitReport {
    std::uint64_t steps = 0;
    double final_loss = std::numeric_limits<double>::quiet_NaN();
    double seconds = 0;
    std::vector<EpochRecord> epochs;
};

/// With exits as the network would answer; share[k] = samples that left at exit k (last = main
/// output).
struct Evaluation {
    std::int64_t samples = 0;
    /// 0..1; for regression R2 = 1 - squared error / variance of the split, mean over the targets:
    /// at most 1, negative where the mean of all labels would be the better answer.
    double accuracy = 0;
    double loss = 0;
    std::vector<double> share;
    /// Of the samples that left there, NaN = none. R2 is against the variance of the whole split,
    /// so that shares times these add up to `accuracy`.
    std::vector<double> accuracy_per_exit;
    /// For regression the root of the mean squared error in the target's own unit, mean over the
    /// targets; none for classification.
    std::optional<double> error;
    std::vector<double> error_per_target;  ///< empty for classification
    std::vector<double> error_per_exit;    ///< likewise
};

/// What a network answered to one batch of an evaluation; the batches come in the order of the
/// split.
struct Answers {
    const at::Tensor& output;  ///< (N, C) logits, or (N, D) in the unit of normalisation.targets
    const at::Tensor& place;   ///< (N) int64: the exit of each; number of exits = main output
    const at::Tensor& labels;  ///< (N) int64, or (N, D) float
};

using AnswerListener = std::function<void(const Answers&)>;

/// Where what a teacher said outlives the trainer. A teacher is named by its content; logits are
/// (samples, pictures of one, C). Not asked about networks with operators of plugins, whose content
/// is not the network's.
struct TeacherStore {
    /// Undefined: nothing is kept. Empty functions: neither found nor kept.
    std::function<at::Tensor(const std::string& teacher)> find;
    std::function<void(const std::string& teacher, const at::Tensor& logits)> keep;
};

/// What a teacher said of every picture of the training set, kept from one fit to the next.
struct TeacherMemory {
    std::string teacher;  ///< identity of the network; empty = nothing is remembered
    at::Tensor logits;    ///< (samples, pictures of one, C), on the device
    TeacherStore store;
};

/// A split and its copy on a device; holds the first, so that its address is nobody else's.
struct PlacedSamples {
    data::Samples origin;
    data::Samples copy;
};

/// Told about progress; may ask to stop by returning false.
struct ProgressEvent {
    std::string phase;
    double epoch = 0;
    double epochs = 0;
    std::uint64_t step = 0;
    std::uint64_t steps = 0;
    double loss = 0;
    double eta_seconds = 0;
    bool epoch_end = false;
};

using Progress = std::function<void(const ProgressEvent&)>;
/// True when the user wants to stop.
using Cancelled = std::function<bool()>;
/// A recorder for one fit; null = steps are not recorded.
using MakeStepRecorder = std::function<std::unique_ptr<StepRecorder>()>;

/// Trains networks on one TrainingData. Same seed, same threads: same bits on the CPU.
class Trainer {
  public:
    /// Throws Error{train/loss-mismatch} for a loss, or label smoothing, of another task.
    Trainer(const TrainingData& data, TrainingDefaults defaults, at::Device device);

    void on_progress(Progress progress) { progress_ = std::move(progress); }

    void set_cancelled(Cancelled cancelled) { cancelled_ = std::move(cancelled); }

    /// Instead of the device's own.
    void set_step_recorder(MakeStepRecorder make) { make_recorder_ = std::move(make); }

    void set_teacher_store(TeacherStore store) { teacher_memory_.store = std::move(store); }

    /// Moves the network to the device and leaves it there, plain: nothing requires a gradient.
    /// Throws Error{run/interrupted} when cancelled, {train/diverged} when the loss is not finite,
    /// {train/nothing-to-train | train/unknown-parameter | train/bad-loss |
    /// train/structure-changed}.
    FitReport fit(network::Network& network, const FitOptions& options);
    /// Evaluation mode, exits really stop. `listener` is called once a batch, tensors on the
    /// trainer's device.
    [[nodiscard]] Evaluation evaluate(const network::Network& network,
                                      const data::Samples& samples,
                                      const AnswerListener& listener = {});
    /// Batch-norm running statistics anew (cumulative mean) from this many training batches.
    void update_statistics(network::Network& network, std::int64_t batches, std::uint64_t seed);

    [[nodiscard]] const TrainingData& data() const { return data_; }

    [[nodiscard]] const TrainingDefaults& defaults() const { return defaults_; }

    [[nodiscard]] TaskLoss loss() const { return loss_; }

    [[nodiscard]] at::Device device() const { return device_; }

  private:
    void throw_if_cancelled() const;
    [[nodiscard]] data::BatchReader training_reader(const data::Pass& pass);
    /// The split on the trainer's device, copied there the first time it is asked for.
    [[nodiscard]] const data::Samples& on_device(const data::Samples& samples);
    [[nodiscard]] c10::Stream fit_stream();

    const TrainingData& data_;
    TrainingDefaults defaults_;
    TaskLoss loss_;
    at::Device device_;
    Progress progress_;
    Cancelled cancelled_;
    MakeStepRecorder make_recorder_;
    std::optional<c10::Stream> fit_stream_;
    TeacherMemory teacher_memory_;
    std::vector<PlacedSamples> placed_;
};

}  // namespace topress::train
