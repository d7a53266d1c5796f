// Losses, see loss.hpp.
#include "train/loss.hpp"

#include "base/error.hpp"

#include <topress/standardised_divergence.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <sstream>
#include <string>
#include <utility>

namespace topress::train {

namespace {

std::string shape_of(const at::Tensor& tensor) {
    std::ostringstream text;
    text << tensor.sizes();
    return text.str();
}

[[noreturn]] void fail(const std::string& what) {
    throw Error("train/bad-loss",
                what,
                {},
                "return a scalar loss and, for each output, its gradient or nothing");
}

struct NamedLoss {
    const char* name;
    TaskLoss loss;
};

constexpr std::array<NamedLoss, 4> kLosses = {{{"cross-entropy", TaskLoss::CrossEntropy},
                                               {"mse", TaskLoss::MeanSquared},
                                               {"mae", TaskLoss::MeanAbsolute},
                                               {"huber", TaskLoss::Huber}}};

std::string describe_task(const TrainingData& data) {
    std::ostringstream text;
    if (data.is_regression()) {
        text << "the data set has numbers to predict (" << data.targets.front()
             << (data.targets.size() > 1 ? ", ..." : "") << ")";
    } else {
        text << "the data set has " << data.classes.size() << " classes";
    }
    return text.str();
}

/// The distance to what the teacher says.
LossAndGradient distance_to(const at::Tensor& teacher, const at::Tensor& output, bool of_numbers) {
    if (of_numbers) {
        return task_loss(output, teacher, TaskLoss::MeanSquared, 0);
    }
    Divergence told = standardised_divergence(output, teacher);
    return {std::move(told.value), std::move(told.gradient)};
}

}  // namespace

TaskLoss choose_loss(const std::string& name, const TrainingData& data) {
    if (name.empty()) {
        return data.is_regression() ? TaskLoss::MeanSquared : TaskLoss::CrossEntropy;
    }
    const auto* known = std::find_if(
        kLosses.begin(), kLosses.end(), [&](const NamedLoss& each) { return name == each.name; });
    if (known == kLosses.end()) {
        throw Error("train/unknown-loss",
                    "unknown loss '" + name + "'",
                    {},
                    "known are cross-entropy, mse, mae and huber");
    }
    const bool of_classes = known->loss == TaskLoss::CrossEntropy;
    if (of_classes == data.is_regression()) {
        std::ostringstream message;
        message << "the loss '" << name << "' is one of " << (of_classes ? "classes" : "numbers")
                << ", but " << describe_task(data);
        throw Error("train/loss-mismatch",
                    message.str(),
                    "train.loss",
                    of_classes ? "choose mse, mae or huber, or leave train.loss out"
                               : "choose cross-entropy, or leave train.loss out");
    }
    return known->loss;
}

void refuse_smoothing(double smoothing, const TrainingData& data) {
    if (smoothing > 0 && data.is_regression()) {
        std::ostringstream message;
        message << "label smoothing spreads labels over classes, but " << describe_task(data);
        throw Error("train/loss-mismatch",
                    message.str(),
                    "train.label_smoothing",
                    "leave train.label_smoothing out");
    }
}

LossAndGradient task_loss(const at::Tensor& output,
                          const at::Tensor& labels,
                          TaskLoss loss,
                          double smoothing) {
    if (loss == TaskLoss::CrossEntropy) {
        return cross_entropy(output, labels, smoothing);
    }
    NumberLoss numbers = number_loss(output, labels, loss);
    return {std::move(numbers.value), std::move(numbers.gradient)};
}

LossAndGradient cross_entropy(const at::Tensor& logits,
                              const at::Tensor& labels,
                              double smoothing) {
    const auto count = static_cast<double>(std::max<std::int64_t>(logits.size(0), 1));
    const at::Tensor log_probability = at::log_softmax(logits, 1);
    const at::Tensor index = labels.unsqueeze(1);
    at::Tensor loss = log_probability.gather(1, index).mean().neg();
    at::Tensor gradient = log_probability.exp();
    if (smoothing > 0) {
        loss = loss * (1 - smoothing) - log_probability.mean() * smoothing;
        gradient.sub_(smoothing / static_cast<double>(logits.size(1)));
    }
    gradient.scatter_add_(
        1, index, at::full({1, 1}, smoothing - 1, logits.options()).expand_as(index));
    return {loss, gradient.div_(count)};
}

LossResult default_loss(const LossInput& input, TaskLoss loss, double smoothing) {
    const auto outputs = static_cast<double>(input.outputs.size());
    LossResult result;
    for (const at::Tensor& logits : input.outputs) {
        LossAndGradient part = task_loss(logits, input.labels, loss, smoothing);
        if (outputs > 1) {
            part.gradient.div_(outputs);
            part.loss.div_(outputs);
        }
        result.loss = result.loss.defined() ? result.loss + part.loss : part.loss;
        result.gradients.push_back(std::move(part.gradient));
    }
    return result;
}

void follow_teacher(LossResult& own, const LossInput& input, double weight) {
    const double share = weight / static_cast<double>(input.outputs.size());
    for (std::size_t k = 0; k < input.outputs.size(); ++k) {
        const LossAndGradient told =
            distance_to(input.teacher, input.outputs[k], input.labels.is_floating_point());
        own.loss = own.loss + told.loss * share;
        own.gradients[k].add_(told.gradient, share);
    }
}

void check_loss(const LossResult& result, const std::vector<at::Tensor>& outputs) {
    if (!result.loss.defined() || result.loss.numel() != 1) {
        fail("the loss returned " +
             (result.loss.defined() ? "a tensor of shape " + shape_of(result.loss)
                                    : std::string("nothing")) +
             " where one number is expected");
    }
    if (result.gradients.size() > outputs.size()) {
        fail("the loss returned " + std::to_string(result.gradients.size()) + " gradients for " +
             std::to_string(outputs.size()) + " outputs");
    }
    for (std::size_t i = 0; i < result.gradients.size(); ++i) {
        const at::Tensor& gradient = result.gradients[i];
        if (gradient.defined() && gradient.sizes() != outputs[i].sizes()) {
            fail("the loss returned a gradient of shape " + shape_of(gradient) + " for output " +
                 std::to_string(i) + " of shape " + shape_of(outputs[i]));
        }
    }
}

}  // namespace topress::train
