// MobileNetV2: inverted residual blocks of a pointwise, a depthwise and a linear pointwise
// convolution; relu stands for relu6. For small pictures stem and first stages keep the size, the
// first block has an expansion too, and where a block of stride 1 changes the number of channels,
// the shortcut is a 1x1 convolution with batch norm; with the ImageNet stem all is as in the
// source. Source: Sandler et al. 2018, arXiv 1801.04381, table 2, and the strides usual for 32x32
// pictures.
#include "zoo/builder.hpp"
#include "zoo/families.hpp"

#include <algorithm>
#include <array>

namespace topress::zoo {
namespace {

constexpr std::int64_t kDepth = 53;  // as the source counts, whose first block has no expansion
constexpr std::int64_t kStandardWidth = 32;
constexpr std::int64_t kSmallestSide = 8;  // three halvings; five with the ImageNet stem
constexpr std::int64_t kFeatures = 1280;

/// Blocks of one kind, at the standard width. Stage 2 has stride 2 with the ImageNet stem.
struct Stage {
    std::int64_t expansion;
    std::int64_t channels;
    std::int64_t blocks;
    std::int64_t stride;
};

constexpr std::array<Stage, 7> kStages{{{1, 16, 1, 1},
                                        {6, 24, 2, 1},
                                        {6, 32, 3, 2},
                                        {6, 64, 4, 2},
                                        {6, 96, 3, 1},
                                        {6, 160, 3, 2},
                                        {6, 320, 1, 1}}};

/// Channels at another width, a multiple of eight as the source's own code has it, at least eight.
std::int64_t scaled(std::int64_t channels, std::int64_t width) {
    constexpr std::int64_t kMultiple = 8;
    const std::int64_t wanted = channels * width;
    const std::int64_t unit = kStandardWidth * kMultiple;
    return std::max(kMultiple, (wanted + unit / 2) / unit * kMultiple);
}

/// One block; channels and stride are its own.
struct Block {
    std::int64_t expanded;
    std::int64_t out;
    std::int64_t stride;
    bool is_published;  ///< as in the source, not as usual for small pictures
};

Activation add_block(Builder& builder,
                     const std::string& block,
                     const Activation& x,
                     const Block& form) {
    const auto [expanded, out, stride, is_published] = form;
    Activation y = x;
    if (expanded != x.channels || !is_published) {
        y = builder.convolve(block + ".expand", y, {.out = expanded, .kernel = 1});
        y = builder.relu(block + ".relu1", builder.batch_norm(block + ".bn1", y));
    }
    y = builder.convolve(
        block + ".depthwise", y, {.out = expanded, .stride = stride, .is_depthwise = true});
    y = builder.relu(block + ".relu2", builder.batch_norm(block + ".bn2", y));
    y = builder.convolve(block + ".project", y, {.out = out, .kernel = 1});
    y = builder.batch_norm(block + ".bn3", y);
    if (stride != 1 || (is_published && x.channels != out)) {
        return y;
    }
    Activation shortcut = x;
    if (x.channels != out) {
        shortcut = builder.convolve(block + ".shortcut.conv", x, {.out = out, .kernel = 1});
        shortcut = builder.batch_norm(block + ".shortcut.bn", shortcut);
    }
    return builder.add(block + ".add", y, shortcut);
}

network::Network build_mobilenet(const Specification& specification) {
    const std::int64_t width = specification.width;
    Builder builder(specification);
    const bool is_published = has_imagenet_stem(specification);
    Activation x = builder.convolve(
        "stem.conv", builder.input(), {.out = width, .stride = is_published ? 2 : 1});
    x = builder.relu("stem.relu", builder.batch_norm("stem.bn", x));
    for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
        const Stage& form = kStages.at(stage);
        const std::int64_t stride = is_published && stage == 1 ? 2 : form.stride;
        for (std::int64_t block = 0; block < form.blocks; ++block) {
            const std::string name =
                "stage" + std::to_string(stage + 1) + ".block" + std::to_string(block);
            x = add_block(builder,
                          name,
                          x,
                          {x.channels * form.expansion,
                           scaled(form.channels, width),
                           block == 0 ? stride : 1,
                           is_published});
        }
    }
    x = builder.convolve("features.conv", x, {.out = scaled(kFeatures, width), .kernel = 1});
    x = builder.relu("features.relu", builder.batch_norm("features.bn", x));
    return finish_with_head(builder, x, true, specification.classes);
}

}  // namespace

Family mobilenet_family() {
    return {"mobilenetv2",
            "53; a smaller one has a smaller width",
            true,
            [](const std::string& /*stem*/) { return kDepth; },
            [](std::int64_t depth) { return depth == kDepth; },
            [](std::int64_t /*depth*/) { return kStandardWidth; },
            [](const Specification& specification) {
                return has_imagenet_stem(specification) ? 4 * kSmallestSide : kSmallestSide;
            },
            build_mobilenet};
}

}  // namespace topress::zoo
