// Quantization to one signed bit: the sign, times a scale; rounding to levels would waste one of
// two.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace topress::network {

/// y = scale where x >= 0, -scale elsewhere. Gradients: of x that of scale * tanh(x / scale), since
/// the sign has none; of scale sum(grad_y * sign(x)) * factor.
/// Shape:    scale (channels) along `axis` of x, or (1) with axis -1.
/// Source:   sign with a scale per filter: Rastegari et al. 2016 (XNOR-Net, arXiv 1603.05279);
///           gradient through tanh: Qin et al. 2020 (IR-Net, arXiv 1909.10788), its t fixed to 1.
[[nodiscard]] at::Tensor binarize(const at::Tensor& x,
                                  const at::Tensor& scale,
                                  std::int64_t axis,
                                  double factor);

/// The scale shaped to broadcast along `axis` of x.
[[nodiscard]] at::Tensor broadcast_scale(const at::Tensor& x,
                                         const at::Tensor& scale,
                                         std::int64_t axis);

/// Sum over every dimension but `axis`, over all of them when it is -1; shaped like `scale`.
[[nodiscard]] at::Tensor sum_to_scale(const at::Tensor& x,
                                      const at::Tensor& scale,
                                      std::int64_t axis);

}  // namespace topress::network
