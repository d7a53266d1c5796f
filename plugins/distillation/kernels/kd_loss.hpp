// Distillation loss with its gradient: the contract of the CPU reference and the CUDA launcher.
#pragma once

#include <topress/kernel/arguments.hpp>

#include <cstdint>

namespace topress::distillation {

/// Weights and switches of the loss of one sample
///     cross_entropy_weight * CE(student, label)
///   + distillation_weight * T^2 * KL(softmax(teacher / T) || softmax(student / T)).
struct KdLossParameters {
    float cross_entropy_weight = 0.1f;  ///< alpha; 0: no labels needed
    float distillation_weight = 0.9f;   ///< beta; 0: no teacher needed
    float temperature = 4.0f;           ///< T, above 0
    bool standardise = false;      ///< z-score both logit vectors per sample inside the KL term
    float label_smoothing = 0.0f;  ///< in [0, 1): share of the target spread over all classes
};

/// Logits of a batch. Shape: student, teacher (B, C) row-major; labels (B), in [0, C).
template <typename Real>
struct KdLossInputs {
    const Real* student = nullptr;
    const Real* teacher = nullptr;         ///< null only if distillation_weight is 0
    const std::int64_t* labels = nullptr;  ///< null only if cross_entropy_weight is 0
    std::int64_t batch = 0;
    std::int64_t classes = 0;
};

/// What the loss writes. Shape: loss (1); sample_loss (B); gradient (B, C).
template <typename Real>
struct KdLossOutputs {
    Real* loss = nullptr;  ///< mean of sample_loss; 0 for an empty batch
    Real* sample_loss =
        nullptr;  ///< NaN, as is the sample's gradient, where the label is out of range
    Real* gradient = nullptr;  ///< d loss / d student, the mean over the batch included
};

/// A logit vector whose standard deviation (unbiased, over C - 1) is not above this counts as
/// constant: its z-scores and the gradient through them are 0. So is every vector of one class.
constexpr double kKdLeastDeviation = 1e-7;

/// Loss and gradient on the CPU, computed in double: the truth, and the path without a device.
/// Real is float, or double for checks against finite differences.
/// Requires: no overlap between inputs and outputs.
/// Throws:   std::invalid_argument for null pointers, negative sizes, a parameter out of range.
/// Cost:     about five exponentials per logit.
/// Source:   Hinton et al. 2015, arXiv 1503.02531; Sun et al. CVPR 2024, arXiv 2403.01427.
template <typename Real>
void kd_loss_cpu(const KdLossInputs<Real>& inputs,
                 const KdLossParameters& parameters,
                 const KdLossOutputs<Real>& outputs);

/// The same in float, a block of rows at a time: what runs without a device. Differs from
/// kd_loss_cpu by rounding, about 1e-5 of a gradient. Throws: as kd_loss_cpu.
/// Cost:   12 bytes and three exponentials per logit.
void kd_loss_fast_cpu(const KdLossInputs<float>& inputs,
                      const KdLossParameters& parameters,
                      const KdLossOutputs<float>& outputs);

/// The same on the device: two launches, no synchronisation, equal bits for equal inputs.
/// All pointers are device memory. `stream` is a cudaStream_t.
/// Throws: as kd_loss_cpu; std::runtime_error when a launch fails.
/// Cost:   12 bytes and three exponentials per logit up to 128 classes; above, rows are read again
///         from the first-level cache and exponentials computed again.
void launch_kd_loss(const KdLossInputs<float>& inputs,
                    const KdLossParameters& parameters,
                    const KdLossOutputs<float>& outputs,
                    void* stream);

/// The argument check of both.
template <typename Real>
void require_kd_loss(const KdLossInputs<Real>& inputs,
                     const KdLossParameters& parameters,
                     const KdLossOutputs<Real>& outputs) {
    using kernel::require;
    require(inputs.batch >= 0 && inputs.classes >= 0, "kd_loss: a size is negative");
    require(parameters.temperature > 0.0f, "kd_loss: temperature must be above 0");
    require(parameters.label_smoothing >= 0.0f && parameters.label_smoothing < 1.0f,
            "kd_loss: label_smoothing must be in [0, 1)");
    require(outputs.loss != nullptr, "kd_loss: loss is null");
    if (inputs.batch == 0) {
        return;
    }
    require(inputs.classes > 0, "kd_loss: a sample needs at least one class");
    require(inputs.student != nullptr, "kd_loss: student is null");
    require(inputs.teacher != nullptr || parameters.distillation_weight == 0.0f,
            "kd_loss: teacher is null");
    require(inputs.labels != nullptr || parameters.cross_entropy_weight == 0.0f,
            "kd_loss: labels is null");
    require(outputs.sample_loss != nullptr && outputs.gradient != nullptr,
            "kd_loss: sample_loss or gradient is null");
}

}  // namespace topress::distillation
