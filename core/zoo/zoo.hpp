// Network families built on network/: ResNet (ImageNet and CIFAR forms), VGG and MobileNetV2.
#pragma once

#include "network/graph.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::zoo {

/// What to build. resnet: depth 18, 34 (basic blocks, 4 stages, 3x3 stem, widths 64..512 for width
/// 64) or 6n+2 (CIFAR form: 8, 14, 20, ...; 3 stages, width 16 standard). vgg: 11, 13, 16, 19 with
/// batch norm and one linear layer. mobilenetv2: depth 53, width 32 standard (the stem; all other
/// stages scale with it in multiples of eight).
struct Specification {
    std::string family = "resnet";
    std::int64_t depth = 20;
    std::int64_t width = 0;  ///< channels of the first stage; 0 = the family's standard
    std::int64_t classes = 10;
    std::vector<std::int64_t> input_shape = {3, 32, 32};
};

[[nodiscard]] std::vector<std::string> families();

/// Builds and initialises (He normal, fan out; batch norm 1/0; linear uniform) from `seed`: equal
/// seed, equal weights, independent of global random state. Settings "family", "depth", "width",
/// "classes" are stored in the network. Throws Error{zoo/unknown-family | zoo/unsupported-depth |
/// zoo/input-too-small | zoo/bad-specification} with what is possible.
[[nodiscard]] network::Network build(const Specification& specification, std::uint64_t seed);

/// The specification a network was built with (from its settings). Throws Error{zoo/no-family}.
[[nodiscard]] Specification specification_of(const network::Network& network);

}  // namespace topress::zoo
