// How far logits are from a teacher's: the one formula that the host's training and the losses of
// techniques use.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace topress {

/// A mean over the batch and its gradient with respect to the logits.
struct Divergence {
    at::Tensor value;     ///< scalar
    at::Tensor gradient;  ///< shaped like the logits
};

namespace detail {

struct Standardised {
    at::Tensor scores;     ///< (N, C) z-scores, zeros where a row is constant
    at::Tensor deviation;  ///< (N, 1), infinite where a row is constant
};

inline Standardised standardise(const at::Tensor& logits) {
    constexpr double kLeastDeviation = 1e-7;  // closer together no direction can be told
    const double freedom = static_cast<double>(std::max<std::int64_t>(logits.size(1) - 1, 1));
    const at::Tensor centred = logits - logits.mean({1}, true);
    at::Tensor deviation = (centred.square().sum({1}, true) / freedom).sqrt();
    deviation.masked_fill_(deviation.le(kLeastDeviation), std::numeric_limits<double>::infinity());
    return {centred / deviation, deviation};
}

}  // namespace detail

/// T^2 KL(teacher || logits) on the z-scores of every row, T = 2. Shape: logits, teacher (N, C).
/// With z the scores and g the gradient with respect to them, that of the logits is
/// (g - mean g - z sum(g z) / (C - 1)) / deviation. Source: Sun et al., CVPR 2024 (2403.01427).
inline Divergence standardised_divergence(const at::Tensor& logits, const at::Tensor& teacher) {
    constexpr double kTemperature = 2;
    const double count = static_cast<double>(std::max<std::int64_t>(logits.size(0), 1));
    const double freedom = static_cast<double>(std::max<std::int64_t>(logits.size(1) - 1, 1));
    const detail::Standardised own = detail::standardise(logits);
    const at::Tensor wanted = (detail::standardise(teacher).scores / kTemperature).log_softmax(1);
    const at::Tensor answered = (own.scores / kTemperature).log_softmax(1);
    const at::Tensor probability = wanted.exp();
    const double factor = kTemperature * kTemperature / count;
    at::Tensor value = (probability * (wanted - answered)).sum() * factor;
    const at::Tensor gradient = (answered.exp() - probability) * (factor / kTemperature);
    const at::Tensor along = (gradient * own.scores).sum({1}, true) / freedom;
    return {std::move(value),
            (gradient - gradient.mean({1}, true) - own.scores * along) / own.deviation};
}

}  // namespace topress
