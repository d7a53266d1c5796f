// VGG with batch norm and one linear layer: five stages of 3x3 convolutions, each closed by a 2x2
// max pool. The last pool is left out where the picture is already one pixel wide or high (sides 16
// to 31); what larger pictures leave (sides from 64) is averaged, so the linear layer always sees
// 512. Source: Simonyan and Zisserman 2015, arXiv 1409.1556, table 1 (A, B, D, E).
#include "zoo/builder.hpp"
#include "zoo/families.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace topress::zoo {
namespace {

constexpr std::size_t kStages = 5;
constexpr std::int64_t kStandardWidth = 64;
constexpr std::int64_t kSmallestSide = 16;

/// Convolutions of each stage; zeros for a depth that does not exist.
std::array<std::int64_t, kStages> convolutions_of(std::int64_t depth) {
    switch (depth) {
        case 11:
            return {1, 1, 2, 2, 2};
        case 13:
            return {2, 2, 2, 2, 2};
        case 16:
            return {2, 2, 3, 3, 3};
        case 19:
            return {2, 2, 4, 4, 4};
        default:
            return {};
    }
}

/// Height and width while the stages shrink them.
struct Size {
    std::int64_t height;
    std::int64_t width;
};

Activation add_stage(Builder& builder,
                     const std::string& name,
                     Activation x,
                     std::int64_t out,
                     std::int64_t convolutions) {
    for (std::int64_t i = 1; i <= convolutions; ++i) {
        const std::string index = std::to_string(i);
        x = builder.convolve(name + ".conv" + index, x, {.out = out, .has_bias = true});
        x = builder.batch_norm(name + ".bn" + index, x);
        x = builder.relu(name + ".relu" + index, x);
    }
    return x;
}

network::Network build_vgg(const Specification& specification) {
    constexpr std::array<std::int64_t, kStages> kWidening{1, 2, 4, 8, 8};
    Builder builder(specification);
    Activation x = builder.input();
    Size size{specification.input_shape[1], specification.input_shape[2]};
    const auto convolutions = convolutions_of(specification.depth);
    for (std::size_t stage = 0; stage < kStages; ++stage) {
        const std::string name = "stage" + std::to_string(stage + 1);
        x = add_stage(
            builder, name, x, specification.width * kWidening.at(stage), convolutions.at(stage));
        if (std::min(size.height, size.width) >= 2) {
            x = builder.max_pool(name + ".pool", x);
            size = {size.height / 2, size.width / 2};
        }
    }
    const bool has_pool = size.height > 1 || size.width > 1;
    return finish_with_head(builder, x, has_pool, specification.classes);
}

}  // namespace

Family vgg_family() {
    return {"vgg",
            "11, 13, 16 or 19",
            [](std::int64_t depth) { return convolutions_of(depth)[0] != 0; },
            [](std::int64_t /*depth*/) { return kStandardWidth; },
            [](std::int64_t /*depth*/) { return kSmallestSide; },
            build_vgg};
}

}  // namespace topress::zoo
