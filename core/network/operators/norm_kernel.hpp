// Batch norm with what follows it (residual add, relu) on the CPU, for rows of channels: one pass
// over memory where the composition takes three.
#pragma once

#include <cstdint>
#include <vector>

namespace topress::network {

/// What stands after the normalisation: y = relu?(norm(x) + residual?).
struct NormTail {
    bool relu = false;
    bool residual = false;
};

/// Mean and biased variance per channel, in double.
struct NormStatistics {
    std::vector<double> mean;
    std::vector<double> variance;
};

/// Sums of the backward pass per channel: of the gradient behind the relu, and of it times (x -
/// mean).
struct NormSums {
    std::vector<double> gradient;
    std::vector<double> gradient_times_centred;
};

/// All arrays hold `rows` x `channels` floats, channels innermost (channels-last memory). Threaded;
/// partial sums are added in the order of the rows, so equal threads give equal bits.
struct NormExtent {
    std::int64_t rows = 0;
    std::int64_t channels = 0;
};

/// Reads 4 bytes an element. Source of the pairwise update: Chan, Golub, LeVeque 1983.
[[nodiscard]] NormStatistics norm_statistics(const float* x, const NormExtent& extent);

/// y = relu?(x * scale + shift + residual?). Reads 4 (8 with a residual), writes 4 bytes an
/// element. y may be x.
void norm_forward(const float* x,
                  const float* residual,
                  const float* scale,
                  const float* shift,
                  float* y,
                  const NormTail& tail,
                  const NormExtent& extent);

/// What the backward passes read; null is what the tail does not need. Behind a relu gradients
/// count where y > 0. Where a residual was added, y is read, and the gradient behind the relu,
/// which is that of the residual, is written to `passed` by the first pass and read by the second;
/// it may be grad_y. Without a residual y is computed from x again: that reads less.
struct NormBackward {
    const float* grad_y = nullptr;
    const float* x = nullptr;
    const float* y = nullptr;
    float* passed = nullptr;
    const float* scale = nullptr;  // by channel, those of norm_forward
    const float* shift = nullptr;
};

/// Per channel: grad_x = g * a - (x - mean) * b - c, with g the gradient behind the relu.
struct NormFactors {
    const float* mean = nullptr;
    const float* a = nullptr;
    const float* b = nullptr;
    const float* c = nullptr;
};

/// First pass. Reads 8 bytes an element, with y 12 and writes 4.
[[nodiscard]] NormSums norm_backward_sums(const NormBackward& pass,
                                          const std::vector<double>& mean,
                                          const NormExtent& extent);

/// Second pass. Reads 8, writes 4 bytes an element. grad_x may be grad_y or `passed`.
void norm_backward_input(const NormBackward& pass,
                         const NormFactors& by_channel,
                         float* grad_x,
                         const NormExtent& extent);

}  // namespace topress::network
