// Initial weights of a network. Internal to zoo/.
#pragma once

#include "network/graph.hpp"

#include <cstdint>

namespace topress::zoo {

/// Convolutions: He normal, fan out; batch norm: gamma and running variance 1, the rest 0; linear:
/// uniform within 1/sqrt(inputs). Biases of convolutions stay 0.
/// Thread: uses a generator of its own, global random state is neither read nor changed.
/// Source: He et al. 2015, arXiv 1502.01852, section 2.2 (fan out).
void initialise(network::Network& network, std::uint64_t seed);

}  // namespace topress::zoo
