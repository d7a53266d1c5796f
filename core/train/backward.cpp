// Calls torch::autograd::backward.
#include "train/backward.hpp"

#include <torch/csrc/autograd/autograd.h>

namespace topress::train {

void run_backward(const std::vector<at::Tensor>& outputs,
                  const std::vector<at::Tensor>& gradients) {
    std::vector<at::Tensor> roots;
    std::vector<at::Tensor> seeds;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (gradients[i].defined() && outputs[i].requires_grad()) {
            roots.push_back(outputs[i]);
            seeds.push_back(gradients[i]);
        }
    }
    if (!roots.empty()) {
        torch::autograd::backward(roots, seeds);
    }
}

}  // namespace topress::train
