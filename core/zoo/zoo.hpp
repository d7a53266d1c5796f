// Network families built on network/: ResNet, VGG, MobileNetV2 and DenseNet, for small pictures
// and (all but DenseNet) for those of ImageNet.
#pragma once

#include "network/graph.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace topress::zoo {

/// What to build.
///   resnet       depth 18, 34 (basic blocks) or 50, 101, 152 (bottlenecks), all with 4 stages and
///                standard width 64; or any other 6n+2 (CIFAR form: 8, 14, 20, ...; 3 stages of
///                basic blocks, standard width 16)
///   vgg          11, 13, 16, 19 with batch norm; standard width 64
///   mobilenetv2  53; standard width 32 (the stem; all other stages scale with it in multiples of
///                eight)
///   densenet     6n+4 (DenseNet-BC in CIFAR form: 40, 100, ...); the width is the growth rate,
///                standard 12
/// `stem`: "small" keeps the size of the picture at first (3x3 convolution, stride 1; VGG ends in
/// one linear layer). "imagenet" is the published form for 224 x 224 pictures: resnet begins with a
/// 7x7 convolution and a max pool, both of stride 2; mobilenetv2 has five strides and no
/// convolution on a shortcut; vgg ends in three linear layers. densenet has none.
struct Specification {
    std::string family = "resnet";
    std::int64_t depth = 20;
    std::int64_t width = 0;  ///< channels of the first stage; 0 = the family's standard
    std::int64_t classes = 10;
    std::vector<std::int64_t> input_shape = {3, 32, 32};
    std::string stem = "small";
};

[[nodiscard]] std::vector<std::string> families();

/// The depth that is meant when none is given. Throws Error{zoo/unknown-family}.
[[nodiscard]] std::int64_t usual_depth(const std::string& family, const std::string& stem);

/// Builds and initialises (He normal, fan out; batch norm 1/0; linear uniform) from `seed`: equal
/// seed, equal weights, independent of global random state. Settings "family", "depth", "width",
/// "classes", "stem" are stored in the network. Throws Error{zoo/unknown-family |
/// zoo/unsupported-depth | zoo/input-too-small | zoo/bad-specification} with what is possible.
[[nodiscard]] network::Network build(const Specification& specification, std::uint64_t seed);

/// The same without values: parameters have a shape and no memory (device "meta"), for whoever asks
/// for shapes, cost or channel groups only. Throws what build() throws.
[[nodiscard]] network::Network outline(const Specification& specification);

/// The specification a network was built with (from its settings). Throws Error{zoo/no-family}.
[[nodiscard]] Specification specification_of(const network::Network& network);

}  // namespace topress::zoo
