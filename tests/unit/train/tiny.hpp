// A tiny network and a separable task for the tests of the training loop.
#pragma once

#include "network/graph.hpp"
#include "train/trainer.hpp"

#include <cstdint>

namespace topress::train::test {

/// conv 3x3 (1 -> 6), batch norm, relu, global pool, linear (6 -> 3). Parameters "conv.weight",
/// "bn.gamma", "bn.beta", "bn.mean", "bn.variance", "linear.weight", "linear.bias".
/// With `exits`: a linear head "exit.weight", "exit.bias" on the 6 channels through exit "early".
network::Network tiny_network(std::uint64_t seed, bool exits = false);

/// Noisy pictures of 8 x 8: horizontal, vertical and diagonal stripes; 300 / 60 / 60 of them.
TrainingData stripes(std::uint64_t seed = 1);

/// Fast settings for the task.
TrainingDefaults defaults();

/// True when every parameter has the same bits.
bool same_parameters(const network::Network& a, const network::Network& b);

/// True when nothing requires a gradient, has one, or is laid out unusually.
bool is_plain(const network::Network& network);

}  // namespace topress::train::test
