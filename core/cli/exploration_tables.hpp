// What an exploration found, for the terminal.
#pragma once

#include "explore/explore.hpp"

#include <string>

namespace topress::cli {

/// Pairs, the order they suggest, all orders ranked, insertions, and the counts of runs.
[[nodiscard]] std::string exploration_text(const explore::Exploration& exploration);

/// "64 stage runs and 24 finishing runs in each of 6 rounds: 528 in all".
[[nodiscard]] std::string counts_text(const explore::Experiment& experiment);

}  // namespace topress::cli
