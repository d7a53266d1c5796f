// The structure of each family, parameters still zero. Internal to zoo/.
#pragma once

#include "network/graph.hpp"
#include "zoo/zoo.hpp"

#include <cstdint>
#include <string>

namespace topress::zoo {

/// One family: what it offers and how it is built from a complete, checked specification.
struct Family {
    const char* name;
    const char* depths;  ///< for messages
    bool (*supports)(std::int64_t depth);
    std::int64_t (*standard_width)(std::int64_t depth);
    std::int64_t (*smallest_side)(std::int64_t depth);
    network::Network (*build)(const Specification& specification);
};

[[nodiscard]] Family mobilenet_family();
[[nodiscard]] Family resnet_family();
[[nodiscard]] Family vgg_family();

}  // namespace topress::zoo
