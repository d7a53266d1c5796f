// The structure of each family, parameters still without memory. Internal to zoo/.
#pragma once

#include "network/graph.hpp"
#include "zoo/zoo.hpp"

#include <cstdint>
#include <string>

namespace topress::zoo {

/// One family: what it offers and how it is built from a complete, checked specification.
struct Family {
    const char* name;
    const char* depths;      ///< for messages
    bool has_imagenet_stem;  ///< every family has the small one
    std::int64_t (*usual_depth)(const std::string& stem);
    bool (*supports)(std::int64_t depth);
    std::int64_t (*standard_width)(std::int64_t depth);
    /// Of a specification with a depth and a stem that the family has.
    std::int64_t (*smallest_side)(const Specification& specification);
    network::Network (*build)(const Specification& specification);
};

[[nodiscard]] Family densenet_family();
[[nodiscard]] Family mobilenet_family();
[[nodiscard]] Family resnet_family();
[[nodiscard]] Family vgg_family();

/// Whether the network begins as for pictures of 224 x 224.
[[nodiscard]] inline bool has_imagenet_stem(const Specification& specification) {
    return specification.stem == "imagenet";
}

}  // namespace topress::zoo
