// What goes in and out of a recording lies in tensors that stay where they are.
#include "train/recorded_step.hpp"

#include "train/backward.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <utility>

namespace topress::train {
namespace {

std::vector<at::Tensor> tensors_of(const network::Network& network) {
    std::vector<at::Tensor> tensors;
    for (const network::Parameter& parameter : network.parameters()) {
        tensors.push_back(parameter.tensor);
    }
    return tensors;
}

std::vector<const void*> memory_of(const std::vector<at::Tensor>& tensors) {
    std::vector<const void*> memory;
    for (const at::Tensor& tensor : tensors) {
        memory.push_back(tensor.const_data_ptr());
    }
    return memory;
}

bool has_gradient(const std::vector<at::Tensor>& gradients, std::size_t output) {
    return output < gradients.size() && gradients[output].defined();
}

}  // namespace

RecordedStep::RecordedStep(std::unique_ptr<StepRecorder> recorder,
                           const network::Network& network,
                           std::vector<at::Tensor> trained,
                           Forward forward)
    : recorder_(std::move(recorder)),
      network_(network),
      trained_(std::move(trained)),
      forward_(std::move(forward)) {}

bool RecordedStep::accepts(const at::Tensor& images) const {
    if (!forward_recording_) {
        return true;
    }
    const auto& parameters = network_.parameters();
    bool is_same = images.sizes() == images_.sizes() && parameters.size() == parameters_.size();
    for (std::size_t i = 0; is_same && i < parameters.size(); ++i) {
        is_same = parameters[i].tensor.is_same(parameters_[i]);
    }
    return is_same && memory_of(parameters_) == memory_;  // a tensor may have been given another
}

void RecordedStep::record_forward() {
    parameters_ = tensors_of(network_);
    memory_ = memory_of(parameters_);
    forward_recording_ = recorder_->record([this] { outputs_ = forward_(images_); });
}

std::vector<at::Tensor> RecordedStep::forward(const at::Tensor& images) {
    if (!forward_recording_) {
        images_ = at::empty_like(images);  // in the memory order of the batch
    }
    // Before the recording: autograd refuses what was written over once it was saved.
    images_.copy_(images);
    if (!forward_recording_) {
        record_forward();
    }
    recorder_->replay(*forward_recording_);
    std::vector<at::Tensor> outputs;
    for (const at::Tensor& output : outputs_) {
        outputs.push_back(output.detach().clone());
    }
    return outputs;
}

void RecordedStep::record_backward() {
    const c10::AutoGradMode with_gradients(true);
    backward_recording_ = recorder_->record([this] {
        run_backward(outputs_, seeds_);
        gradients_.clear();
        for (const at::Tensor& parameter : trained_) {
            gradients_.push_back(parameter.grad());
        }
    });
}

bool RecordedStep::same_outputs(const std::vector<at::Tensor>& gradients) const {
    bool is_same = true;
    for (std::size_t i = 0; i < seeds_.size(); ++i) {
        is_same = is_same && seeds_[i].defined() == has_gradient(gradients, i);
    }
    return is_same;
}

bool RecordedStep::backward(const std::vector<at::Tensor>& gradients) {
    const c10::NoGradGuard no_gradients;
    if (!backward_recording_) {
        seeds_.clear();
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            seeds_.push_back(has_gradient(gradients, i) ? at::empty_like(gradients[i])
                                                        : at::Tensor());
        }
    }
    if (!same_outputs(gradients)) {
        return false;
    }
    for (std::size_t i = 0; i < seeds_.size(); ++i) {
        if (seeds_[i].defined()) {
            seeds_[i].copy_(gradients[i]);
        }
    }
    if (!backward_recording_) {
        record_backward();
    }
    recorder_->replay(*backward_recording_);
    for (std::size_t i = 0; i < trained_.size(); ++i) {
        trained_[i].mutable_grad() = gradients_[i];
    }
    return true;
}

}  // namespace topress::train
