// VGG with batch norm: five stages of 3x3 convolutions, each closed by a 2x2 max pool. For small
// pictures one linear layer: the last pool is left out where the picture is already one pixel wide
// or high (sides 16 to 31); what larger pictures leave (sides from 64) is averaged, so the linear
// layer always sees 512. With the ImageNet stem the three linear layers of the source (without
// dropout): they see 7 x 7 positions, to which larger pictures are averaged. Source: Simonyan and
// Zisserman 2015, arXiv 1409.1556, table 1 (A, B, D, E).
#include "zoo/builder.hpp"
#include "zoo/families.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace topress::zoo {
namespace {

constexpr std::size_t kStages = 5;
constexpr std::int64_t kStandardWidth = 64;
constexpr std::int64_t kUsualDepth = 16;
constexpr std::int64_t kSmallestSide = 16;
constexpr std::int64_t kPositions = 7;  // along each side of what the three linear layers see
constexpr std::int64_t kHidden = 64;    // outputs of the first two, in widths: 4096

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

/// Averages to 7 x 7; sides that are no multiple of seven by windows that overlap.
Activation add_averaging(Builder& builder, const Activation& x, const Size& size) {
    const std::vector<std::int64_t> stride{size.height / kPositions, size.width / kPositions};
    const std::vector<std::int64_t> kernel{size.height - (kPositions - 1) * stride[0],
                                           size.width - (kPositions - 1) * stride[1]};
    const bool is_needed = kernel[0] > 1 || kernel[1] > 1;
    return is_needed ? builder.avg_pool("classifier.pool", x, kernel, stride) : x;
}

network::Network finish_with_classifier(Builder& builder,
                                        const Activation& features,
                                        const Size& size,
                                        const Specification& specification) {
    const std::int64_t hidden = specification.width * kHidden;
    Activation x = add_averaging(builder, features, size);
    x = builder.flatten("classifier.flatten", x, kPositions * kPositions);
    x = builder.relu("classifier.relu1", builder.linear("classifier.linear1", x, hidden));
    x = builder.relu("classifier.relu2", builder.linear("classifier.linear2", x, hidden));
    return builder.finish(builder.linear("head.linear", x, specification.classes));
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
    if (has_imagenet_stem(specification)) {
        return finish_with_classifier(builder, x, size, specification);
    }
    const bool has_pool = size.height > 1 || size.width > 1;
    return finish_with_head(builder, x, has_pool, specification.classes);
}

}  // namespace

Family vgg_family() {
    return {"vgg",
            "11, 13, 16 or 19",
            true,
            [](const std::string& /*stem*/) { return kUsualDepth; },
            [](std::int64_t depth) { return convolutions_of(depth)[0] != 0; },
            [](std::int64_t /*depth*/) { return kStandardWidth; },
            [](const Specification& specification) {
                return has_imagenet_stem(specification) ? 32 * kPositions : kSmallestSide;
            },
            build_vgg};
}

}  // namespace topress::zoo
