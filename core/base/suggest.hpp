// Did-you-mean: the nearest of a set of known names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topress {

/// Similarity in [0, 1] of two names: 1 - Damerau-Levenshtein distance / longer length.
[[nodiscard]] double similarity(std::string_view a, std::string_view b);

/// The most similar candidate, if its similarity is at least `least`; ties keep the earlier one.
[[nodiscard]] std::optional<std::string> nearest(std::string_view name,
                                                 const std::vector<std::string>& candidates,
                                                 double least = 0.5);

}  // namespace topress
