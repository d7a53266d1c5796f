// How sure an answer is: the one formula that the host's gate and whoever chooses thresholds use.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace topress {

inline constexpr const char* kExitCriteria[] = {
    "max-probability", "margin", "entropy", "agreement", "closeness"};

/// Whether the answer of the exit before counts too.
inline bool compares_with_previous(std::string_view criterion) {
    return criterion == "agreement" || criterion == "closeness";
}

/// What exit_criterion() gives where there is no answer before: no threshold from 0 on lets it go.
inline constexpr double kNothingToCompare = -1;

/// Per sample, 1 = sure, least 0: the largest probability; its distance to the second; 1 - entropy
/// / log C; agreement with the exit before, the lesser of both probabilities of the class that both
/// find most likely, 0 where they differ; closeness to it, 1 / (1 + the largest difference of the
/// numbers that both answer). One class alone is sure. None for a criterion that is not in
/// kExitCriteria. Shape: logits (N, C) -> (N), float, or double for double logits; `previous`
/// (N, C), the same samples at the exit before, undefined at the first one: kNothingToCompare.
inline std::optional<at::Tensor> exit_criterion(const at::Tensor& logits,
                                                std::string_view criterion,
                                                const at::Tensor& previous = {}) {
    const auto type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const std::int64_t classes = logits.size(1);
    if (compares_with_previous(criterion) && !previous.defined()) {
        return at::full({logits.size(0)}, kNothingToCompare, logits.options().dtype(type));
    }
    if (criterion == "max-probability") {
        return at::softmax(logits, 1, type).amax(1);
    }
    if (criterion == "margin") {
        const at::Tensor best =
            std::get<0>(at::softmax(logits, 1, type).topk(std::min<std::int64_t>(classes, 2), 1));
        return classes > 1 ? best.select(1, 0) - best.select(1, 1) : best.select(1, 0);
    }
    if (criterion == "entropy") {
        const at::Tensor logarithm = at::log_softmax(logits, 1, type);
        const at::Tensor negative = (logarithm.exp() * logarithm).sum(1);
        return classes > 1 ? negative / std::log(static_cast<double>(classes)) + 1 : negative + 1;
    }
    if (criterion == "agreement") {
        const auto [now, answer] = at::softmax(logits, 1, type).max(1);
        const auto [before, earlier] = at::softmax(previous, 1, type).max(1);
        return at::minimum(now, before) * answer.eq(earlier).to(type);
    }
    if (criterion == "closeness") {
        return (logits - previous).abs().amax(1).to(type).add(1).reciprocal();
    }
    return std::nullopt;
}

}  // namespace topress
