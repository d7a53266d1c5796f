// Cross entropy, see loss.hpp.
#include "train/loss.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>

#include <algorithm>
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

}  // namespace

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

LossResult default_loss(const LossInput& input, double smoothing) {
    const auto outputs = static_cast<double>(input.outputs.size());
    LossResult result;
    for (const at::Tensor& logits : input.outputs) {
        LossAndGradient part = cross_entropy(logits, input.labels, smoothing);
        if (outputs > 1) {
            part.gradient.div_(outputs);
            part.loss.div_(outputs);
        }
        result.loss = result.loss.defined() ? result.loss + part.loss : part.loss;
        result.gradients.push_back(std::move(part.gradient));
    }
    return result;
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
