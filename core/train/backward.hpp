// The one door to LibTorch's autograd engine; its header is too heavy for more than one file.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace topress::train {

/// Adds the gradients of the leaves behind `outputs`, given the gradients of the outputs.
/// Outputs without a gradient and outputs that depend on no leaf are passed over.
void run_backward(const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>& gradients);

}  // namespace topress::train
