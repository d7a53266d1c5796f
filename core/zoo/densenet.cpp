// DenseNet-BC in its CIFAR form: three dense blocks, each layer of which reads everything before it
// in its block (batch norm and relu before a 1x1 and a 3x3 convolution) and appends as many
// channels as the growth rate; between blocks a 1x1 convolution halves the channels and a 2x2
// average pool the sides. Depth 3n+4 with an even n, as a layer is two convolutions.
// Source: Huang et al. 2017, arXiv 1608.06993, section 3 and table 2.
#include "zoo/builder.hpp"
#include "zoo/families.hpp"

namespace topress::zoo {
namespace {

constexpr std::int64_t kBlocks = 3;
constexpr std::int64_t kUsualDepth = 100;
constexpr std::int64_t kStandardGrowth = 12;
constexpr std::int64_t kBottleneck = 4;    // channels between the two convolutions, in growth rates
constexpr std::int64_t kSmallestSide = 4;  // two halvings
constexpr std::int64_t kMaximumDepth = 250;  // the deepest of the source

bool supports(std::int64_t depth) {
    return depth >= 10 && depth <= kMaximumDepth && (depth - 4) % (2 * kBlocks) == 0;
}

Activation convolve_after_norm(Builder& builder,
                               const std::string& layer,
                               const std::string& index,
                               const Activation& x,
                               const Convolution& form) {
    const Activation y = builder.batch_norm(layer + ".bn" + index, x);
    return builder.convolve(
        layer + ".conv" + index, builder.relu(layer + ".relu" + index, y), form);
}

Activation add_layer(Builder& builder,
                     const std::string& layer,
                     const Activation& x,
                     std::int64_t growth) {
    Activation y =
        convolve_after_norm(builder, layer, "1", x, {.out = kBottleneck * growth, .kernel = 1});
    y = convolve_after_norm(builder, layer, "2", y, {.out = growth});
    return builder.concat(layer + ".concat", x, y);
}

Activation add_transition(Builder& builder, const std::string& name, const Activation& x) {
    const Activation y =
        convolve_after_norm(builder, name, "", x, {.out = x.channels / 2, .kernel = 1});
    return builder.avg_pool(name + ".pool", y, {2, 2}, {2, 2});
}

network::Network build_densenet(const Specification& specification) {
    const std::int64_t growth = specification.width;
    const std::int64_t layers = (specification.depth - 4) / (2 * kBlocks);
    Builder builder(specification);
    Activation x = builder.convolve("stem.conv", builder.input(), {.out = 2 * growth});
    for (std::int64_t block = 1; block <= kBlocks; ++block) {
        const std::string stage = "stage" + std::to_string(block);
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            x = add_layer(builder, stage + ".layer" + std::to_string(layer), x, growth);
        }
        if (block < kBlocks) {
            x = add_transition(builder, "transition" + std::to_string(block), x);
        }
    }
    x = builder.relu("features.relu", builder.batch_norm("features.bn", x));
    return finish_with_head(builder, x, true, specification.classes);
}

}  // namespace

Family densenet_family() {
    return {"densenet",
            "6n+4 (10, 16, 22, 28, 34, 40, ..., 100, ...)",
            false,
            [](const std::string& /*stem*/) { return kUsualDepth; },
            supports,
            [](std::int64_t /*depth*/) { return kStandardGrowth; },
            [](const Specification& /*specification*/) { return kSmallestSide; },
            build_densenet};
}

}  // namespace topress::zoo
