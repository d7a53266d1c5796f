// The pruning schedule: targets fall linearly over the steps, training is spread between and after
// them.
#include "channel.hpp"

#include <topress/follow_original.hpp>
#include <topress/scales.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace topress::pruning {
namespace {

// Without a learning rate of its own, fine-tuning takes this share of the run's.
constexpr double kLearningRateFactor = 0.2;
// Share of the epochs that is spread over the steps; the rest follows the last one.
constexpr double kBetweenSteps = 0.5;
// Batches over which batch-norm statistics are measured again: without fine-tuning those of the
// channels that are gone would still be in them.
constexpr std::uint64_t kStatisticsBatches = 50;
// Of the MACs, where no target is given.
constexpr double kUsualRatio = 0.5;
// Sizes tried for max_drop_pp.
constexpr int kAttempts = 4;

Normalisation parse_normalisation(const std::string& name) {
    if (name == "mean") {
        return Normalisation::Mean;
    }
    if (name == "rank") {
        return Normalisation::Rank;
    }
    return name == "none" ? Normalisation::None : Normalisation::Maximum;
}

const char* unit_of(Measure measure) {
    return measure == Measure::Channels ? " channels" : " MACs";
}

/// What is left of the size when `part` of the way to the target is gone.
double ratio_after(const Target& target, double part) {
    return 1.0 - (1.0 - target.ratio) * part;
}

std::string attempt_text(const std::vector<Target>& targets,
                         double part,
                         double accuracy,
                         bool holds) {
    std::ostringstream text;
    text.precision(3);
    for (const Target& target : targets) {
        text << "at " << ratio_after(target, part) << " of the" << unit_of(target.measure) << ": ";
    }
    text << accuracy * 100 << " % on validation, " << (holds ? "kept" : "too low");
    return text.str();
}

std::string unreachable_text(const char* unit, double wanted, double reached) {
    std::ostringstream text;
    text << "the guards stop at " << static_cast<long long>(reached) << unit
         << ", above the target of " << static_cast<long long>(wanted)
         << ": raise the ratio, or lower minimum_channels, minimum_ratio or round_to";
    return text.str();
}

}  // namespace

void ChannelPruning::configure(const Params& params) {
    targets_.clear();
    if (params.has("macs_ratio") || !params.has("channels_ratio")) {
        targets_.push_back({Measure::Macs, params.get_or<double>("macs_ratio", kUsualRatio)});
    }
    if (params.has("channels_ratio")) {
        targets_.push_back({Measure::Channels, params.get<double>("channels_ratio")});
    }
    steps_ = params.get<int>("steps");
    epochs_ = params.get<double>("epochs");
    learning_rate_ = params.get<double>("learning_rate");
    sparse_epochs_ = params.get<double>("sparse_epochs");
    original_weight_ = params.get<double>("original_weight");
    penalty_ = params.get<double>("group_penalty");
    max_drop_pp_ = params.get<double>("max_drop_pp");
    criterion_ = parse_criterion(params.get<std::string>("criterion"));
    guards_ = {params.get<std::int64_t>("round_to"),
               params.get<std::int64_t>("minimum_channels"),
               params.get<double>("minimum_ratio")};
    normalisation_ = parse_normalisation(params.get<std::string>("normalisation"));
}

void ChannelPruning::apply(Model& model, Context& context) {
    const double macs_before = model.cost().macs;
    const double channels_before = size_of(model, Measure::Channels);
    for (const auto& group : model.groups()) {
        initial_channels_[group.name] = static_cast<std::int64_t>(group.channels);
    }
    if (initial_channels_.empty()) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          "the network has no channel group that could be pruned");
    }
    make_sparse(model, context);
    if (max_drop_pp_ > 0) {
        prune_within_drop(model, context);
    } else {
        run_schedule(model, 1.0, context);
    }
    context.metric("kept_macs_ratio", model.cost().macs / macs_before);
    context.metric("kept_channels_ratio", size_of(model, Measure::Channels) / channels_before);
}

void ChannelPruning::run_schedule(Model& model, double part, Context& context) const {
    std::vector<double> before;
    for (const Target& target : targets_) {
        before.push_back(size_of(model, target.measure));
    }
    for (int step = 1; step <= steps_; ++step) {
        context.throw_if_cancelled();
        const double progress = part * static_cast<double>(step) / steps_;
        for (std::size_t i = 0; i < targets_.size(); ++i) {
            prune_to(model,
                     targets_[i].measure,
                     before[i] * ratio_after(targets_[i], progress),
                     context);
        }
        fine_tune(model, context, epochs_ * kBetweenSteps / steps_, "prune");
    }
    fine_tune(model, context, epochs_ * (1.0 - kBetweenSteps), "fine-tune");
    context.update_statistics(model, kStatisticsBatches);
}

void ChannelPruning::prune_within_drop(Model& model, Context& context) const {
    const double least = context.evaluate(model).accuracy - max_drop_pp_ / 100.0;
    // Accuracy is taken to fall with the size; the most that is asked for comes first, because it
    // may well be enough.
    double too_far = 1.0;
    double near_enough = 0.0;
    double part = 1.0;
    std::optional<OwnedModel> best;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        OwnedModel trial = model.clone();
        run_schedule(trial, part, context);
        const double accuracy = context.evaluate(trial).accuracy;
        const bool holds = accuracy >= least;
        context.log_info(attempt_text(targets_, part, accuracy, holds));
        if (holds) {
            best.emplace(std::move(trial));
            near_enough = part;
        } else {
            too_far = part;
        }
        if (holds && attempt == 0) {
            break;
        }
        part = (too_far + near_enough) / 2;
    }
    if (!best) {
        context.log_warn(
            "no tried size keeps the accuracy within max_drop_pp: the network is unchanged");
        context.metric("nothing_to_do", 1);
        return;
    }
    model.assign(*best);
}

void ChannelPruning::prune_to(Model& model,
                              Measure measure,
                              double target,
                              Context& context) const {
    auto groups = measure_importance(model, criterion_, context);
    for (auto& group : groups) {
        group.initial_channels = initial_channels_.at(group.name);
    }
    normalise(groups, normalisation_);
    const Selection selection = remove_least_important(model, groups, guards_, target, measure);
    if (!selection.reached) {
        throw PluginError(TOPRESS_ERROR_UNSUPPORTED,
                          unreachable_text(unit_of(measure), target, selection.size),
                          measure == Measure::Channels ? "channels_ratio" : "macs_ratio");
    }
    std::ostringstream text;
    text << "pruned to " << static_cast<long long>(selection.size) << unit_of(measure)
         << " (target " << static_cast<long long>(target) << ')';
    context.log_info(text.str());
}

void ChannelPruning::make_sparse(Model& model, Context& context) const {
    fine_tune(model,
              context,
              sparse_epochs_,
              "sparse",
              [strength = penalty_](Model& trained, std::uint64_t, std::uint64_t) {
                  add_group_penalty(trained, strength);
              });
}

void ChannelPruning::fine_tune(Model& model,
                               Context& context,
                               double epochs,
                               const char* phase,
                               StepHook after_backward) const {
    if (epochs <= 0) {
        return;
    }
    FitOptions options;
    options.phase = phase;
    options.epochs = epochs;
    options.learning_rate = learning_rate_;  // 0 = the run's
    options.learning_rate_factor = kLearningRateFactor;
    options.after_backward = std::move(after_backward);
    follow_original(options, context.original(), original_weight_, context.info().loss);
    guard_scales(options, model);
    context.fit(model, options);
}

}  // namespace topress::pruning
