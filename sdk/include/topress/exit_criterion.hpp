// How sure an answer is: the one formula that the host's gate and whoever chooses thresholds use.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace topress {

inline constexpr const char* kExitCriteria[] = {"max-probability", "margin", "entropy"};

/// Per sample, 1 = sure, least 0: the largest probability; its distance to the second; 1 - entropy
/// / log C. One class alone is sure. None for a criterion that is not in kExitCriteria. Shape:
/// logits (N, C) -> (N), float, or double for double logits.
inline std::optional<at::Tensor> exit_criterion(const at::Tensor& logits,
                                                std::string_view criterion) {
    const auto type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const std::int64_t classes = logits.size(1);
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
    return std::nullopt;
}

}  // namespace topress
