// Tiny networks of the kinds that a technique meets, on pictures of 3 x 12 x 12 in four classes.
#pragma once

#include "network/graph.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::conformance {

inline constexpr std::int64_t kPictureChannels = 3;
inline constexpr std::int64_t kPictureSide = 12;
inline constexpr std::int64_t kClasses = 4;

struct TinyNetwork {
    std::string kind;  ///< "plain", "residual", ...
    network::Network network;
};

/// Convolutions of 7 and 13 channels with batch norm, one pooling, one linear layer.
[[nodiscard]] network::Network plain_network(std::uint64_t seed);
/// ResNet-14 of the zoo: knows its family, so that a smaller one can be built.
[[nodiscard]] network::Network residual_network(std::uint64_t seed);
/// A depthwise and a pointwise convolution.
[[nodiscard]] network::Network depthwise_network(std::uint64_t seed);
/// Channels of two layers joined one behind the other, as a DenseNet does.
[[nodiscard]] network::Network joined_network(std::uint64_t seed);
/// Convolutions with biases instead of batch norm, two linear layers.
[[nodiscard]] network::Network network_without_batch_norm(std::uint64_t seed);
/// The residual one with an exit.
[[nodiscard]] network::Network network_with_exit(std::uint64_t seed);
/// The plain one with 4 bit weights and activations.
[[nodiscard]] network::Network quantized_network(std::uint64_t seed);
/// Flatten and linear only: no convolution, no channel group.
[[nodiscard]] network::Network bare_network(std::uint64_t seed);

/// As the residual one with 16 to 64 channels: room for what keeps a least number of them.
[[nodiscard]] network::Network wide_network(std::uint64_t seed);

/// All but the bare, the joined and the wide one.
[[nodiscard]] std::vector<TinyNetwork> tiny_networks(std::uint64_t seed);

}  // namespace topress::conformance
